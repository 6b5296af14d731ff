"""What the evidence has beside the facts of a record, of which the record says it is not there."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby, pairwise

from agents.embedded.evidence_index import EvidenceIndex, fold, is_in_words
from tools.evidence import Evidence
from training.corpus import Record
from training.facts import Fact, Span
from training.wording.timeline import TOUCHING, clear, holes, joined, lies_in

# Forms that are over all shots of a video.
_OVER_ALL = (
    "open/shots", "open/count_titles", "list/titles", "open/shots_in_colour", "open/sentences_with",
    "open/when_colour", "open/when_motion",
    "list/when_title", "list/when_text", "list/when_colour", "list/when_motion",
)  # fmt: skip
# Forms that tell all texts of a kind in their span.
_ALL_OF = {
    "open/count_text": "text",
    "list/text": "text",
    "open/count_titles": "title",
    "list/titles": "title",
    "list/range": "title",
}
_NEIGHBOURS = ("open/said_next", "open/said_previous", "open/text_next")
_NAME_ALONE = ("open/when_mention", "open/about", "open/said_title", "open/said_colour")
# A cue quotes so many words in a row of a sentence, or all of it.
_EXCERPT = 3


class Surroundings:
    """Judges what a record says of all, of the next and of nothing between, by evidence alone.

    A writer knows no more than its plan: what that leaves out, or nobody looked at, stands here.
    """

    def __init__(self, evidence: Sequence[Evidence], index: EvidenceIndex, seconds: float) -> None:
        self._evidence = evidence
        self._index = index
        self._shots = sorted((i.start, i.end) for i in evidence if i.kind == "shot")
        self._holes = holes(self._shots, seconds)

    def bear_out(self, record: Record, facts: Sequence[Fact]) -> bool:
        """Return whether nothing else is where a record, whose facts stand, says that."""
        return (
            all(clear(span, self._holes) for span in self._ranges(record, facts))
            and self._counted(record, facts)
            and self._named_once(record.form, facts[-1])
            and self._follows(record, facts[0])
        )

    def _ranges(self, record: Record, facts: Sequence[Fact]) -> Iterator[Span]:
        """Yield the spans that a record ranges over, where some shots are missing."""
        form, (start, end) = record.form, record.spans[0]
        if not self._holes:
            return
        cue = form.partition("_by_")[2]
        edge = 2 * TOUCHING
        if form in _OVER_ALL or cue in ("colour", "motion"):
            yield float("-inf"), float("inf")
        elif form == "list/range":
            yield start, end
        elif form in _NEIGHBOURS:
            ends = [start, end, *facts[1].spans[0]]
            yield min(ends), max(ends)
        elif cue in ("after_title", "before_title"):
            shot = max(self._shots, key=lambda shot: min(shot[1], end) - max(shot[0], start))
            yield (shot[0] - edge, end) if cue == "after_title" else (start, shot[1] + edge)
        elif form in ("open/when_title", "open/when_text"):
            yield start - edge, end + edge
        elif form == "open/longer":
            yield from ((a - edge, b + edge) for fact in facts for a, b in fact.spans)

    def _counted(self, record: Record, facts: Sequence[Fact]) -> bool:
        """Return whether a record has all texts of its kind in its span."""
        if record.form == "open/shots":
            return fold(record.answer) == str(len(self._shots))
        kind = _ALL_OF.get(record.form)
        if kind is None:
            return True
        seen = self._index.at(record.spans)
        shown = {fold(item.value) for item in seen if item.kind == kind}
        if kind == "text":
            shown -= {fold(item.value) for item in seen if item.kind == "title"}
        left_out = shown - {fold(fact.value) for fact in facts}
        return not any(
            lies_in(span, record.spans[0])
            for text in left_out
            for span in self._texts.get((kind, text), ())
        )

    @cached_property
    def _texts(self) -> dict[tuple[str, str], tuple[Span, ...]]:
        """When each title and each line is shown."""
        found: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
        for item in self._evidence:
            if item.kind in _ALL_OF.values() and is_in_words(item.value):
                found[item.kind, fold(item.value)].append((item.start, item.end))
        return {text: joined(spans) for text, spans in found.items()}

    def _named_once(self, form: str, fact: Fact) -> bool:
        """Return whether no other sentence says the name that a record asks by."""
        relation = fact.relation
        if relation is None or form not in (*_NAME_ALONE, *_NEIGHBOURS, "open/happened"):
            return True
        name = relation.slots["thing"] if relation.kind == "is" else relation.answer
        said = {fold(item.value) for item in self._said if name in " ".join(item.value.split())}
        return said <= {fold(relation.sentence)}

    def _follows(self, record: Record, fact: Fact) -> bool:
        """Return whether a sentence is right before or after the one that a question quotes."""
        when, _, quoted = record.form.partition("_by_")[2].partition("_")
        if quoted != "speech":
            return True
        start, end = record.spans[0]
        pairs = pairwise(self._rows) if when == "after" else pairwise(reversed(self._rows))
        return any(
            fold(row[0].value) == fold(fact.value)
            and any(item.start < end and item.end > start for item in row)
            and any(_quotes(record.question, item.value) for item in beside)
            for beside, row in pairs
        )

    @cached_property
    def _said(self) -> list[Evidence]:
        """All sentences in the order in which they are said."""
        said = (i for i in self._evidence if i.kind == "speech" and is_in_words(i.value))
        return sorted(said, key=lambda item: (item.start, item.end))

    @cached_property
    def _rows(self) -> list[list[Evidence]]:
        """The sentences in their order, one that is said several times in a row together."""
        return [list(row) for _, row in groupby(self._said, key=lambda item: fold(item.value))]


def _quotes(question: str, sentence: str) -> bool:
    """Return whether a question has some words in a row of a sentence, letter for letter."""
    words = sentence.casefold().split()
    starts = range(max(1, len(words) - _EXCERPT + 1))
    runs = (" ".join(words[i : i + _EXCERPT]).rstrip(".,;:!?") for i in starts)
    return any(run in question.casefold() for run in runs)
