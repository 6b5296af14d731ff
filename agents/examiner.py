"""The examiner: quizzes an adapter and tells, by fact and form, what it does not know yet.

It needs no model of its own: what is right is decided by the records that it asks.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agents.team import Failure
from training.answerer import Answer, Answerer
from training.corpus import Record
from training.scoring import Scores, is_right, score

BATCH = 32
# What no right or wrong can be told of.
_UNSCORED = ("summary", "statement")


@dataclass(frozen=True)
class Examination:
    """The answers to one split; fewer than its records where the time was short."""

    asked: list[Record]
    answers: list[Answer]

    @property
    def scores(self) -> Scores:
        """Recall and the other scores."""
        return score(self.asked, self.answers)

    def by_form(self) -> dict[str, tuple[int, int]]:
        """Return how many answers were right, of how many, by form (its category in front)."""
        found: defaultdict[str, list[bool]] = defaultdict(list)
        for record, answer in self._scored():
            found[record.form].append(is_right(record, answer.text))
        return {form: (sum(right), len(right)) for form, right in sorted(found.items())}

    def failures(self) -> list[Failure]:
        """Return what was answered wrong, in the order in which it was asked."""
        return [
            Failure(record=record, answer=answer.text)
            for record, answer in self._scored()
            if not is_right(record, answer.text)
        ]

    def _scored(self) -> Iterator[tuple[Record, Answer]]:
        for record, answer in zip(self.asked, self.answers, strict=True):
            if record.category not in _UNSCORED:
                yield record, answer


def examine(
    answerer: Answerer,
    records: Sequence[Record],
    *,
    on_batch: Callable[[int], bool] = lambda asked: True,
) -> Examination:
    """Ask records in batches and return the answers.

    ``on_batch`` is told before each batch how many were asked, and may stop the examination.
    """
    answers: list[Answer] = []
    for first in range(0, len(records), BATCH):
        if not on_batch(first):
            break
        batch = records[first : first + BATCH]
        answers += answerer.answer([record.question for record in batch])
    return Examination(list(records[: len(answers)]), answers)
