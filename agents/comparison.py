"""Verdicts, and what only a record's neighbours show of it: another answer, a leak, a repeat."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from training import scoring
from training.corpus import Record

SUPPORTED = "supported"
REJECTED = "rejected: "
AMBIGUOUS = "the same question has another answer elsewhere"
LEAKED = "its question is also a training question"
REPEATED = "it repeats an earlier record"

fold = lru_cache(maxsize=1 << 17)(scoring.fold)


def judged(records: Sequence[Record], reasons: Sequence[str]) -> list[Record]:
    """Return the records with their verdicts: rejected for a reason of their own or a neighbour's.

    ``reasons`` has one for each record, empty where nothing is wrong with it by itself.
    """
    found = list(reasons)
    _compare(records, found)
    return [
        record.model_copy(update={"verdict": REJECTED + reason if reason else SUPPORTED})
        for record, reason in zip(records, found, strict=True)
    ]


def _compare(records: Sequence[Record], reasons: list[str]) -> None:
    """Fill in the reasons that only other records show: another answer, a leak, a repeat."""
    answers: defaultdict[str, set[str]] = defaultdict(set)
    trained: set[str] = set()
    standing = [place for place, reason in enumerate(reasons) if not reason]
    for place in standing:
        record = records[place]
        if record.kind != "description":
            answers[fold(record.question)].add(fold(record.answer))
        if record.split == "train":
            trained.add(fold(record.question))
    seen: set[tuple[str, ...]] = set()
    for place in standing:
        record = records[place]
        question = fold(record.question)
        # A request to describe may be answered in several styles.
        own: tuple[str, ...] = (record.split, question)
        if record.kind == "description":
            own = (*own, fold(record.answer))
        if len(answers[question]) > 1:
            reasons[place] = AMBIGUOUS
        elif record.split != "train" and question in trained:
            reasons[place] = LEAKED
        elif own in seen:
            reasons[place] = REPEATED
        else:
            seen.add(own)
