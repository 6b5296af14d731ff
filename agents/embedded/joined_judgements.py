"""What is wrong with a record that joins facts: hops, counts, order of three, comparisons."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from agents.embedded.evidence_index import TEXTS, EvidenceIndex, fold, has_words, holds
from tools.evidence import Evidence
from training.corpus import Record
from training.facts import Fact, Span

UNJOINED = "the evidence does not bear out how its facts are joined"

# How many facts a form joins, where that is fixed.
_FACTS = {
    "open/said_title": 2,
    "open/said_colour": 2,
    "open/said_next": 2,
    "open/said_previous": 2,
    "open/text_next": 2,
    "open/first_of": 3,
    "open/last_of": 3,
    "open/longer": 2,
    "yesno/same_colour": 4,
}


class JoinedJudge:
    """Holds answers that take several facts against the evidence of the whole video."""

    def __init__(self, evidence: Sequence[Evidence], index: EvidenceIndex) -> None:
        self._index = index
        self._of = {
            kind: sorted((i for i in evidence if i.kind == kind), key=lambda i: i.start)
            for kind in ("shot", "title", "colour", "speech")
        }
        self._judges: dict[str, Callable[[Record, Sequence[Fact]], bool]] = {
            "open/said_title": self._beside,
            "open/said_colour": self._beside,
            "open/said_next": lambda record, facts: self._neighbour(record, facts, 1),
            "open/said_previous": lambda record, facts: self._neighbour(record, facts, -1),
            "open/text_next": lambda record, facts: self._neighbour(record, facts, 1),
            "open/shots_in_colour": self._shots_in_colour,
            "open/sentences_with": self._sentences_with,
            "open/first_of": lambda record, facts: self._order(record, facts, first=True),
            "open/last_of": lambda record, facts: self._order(record, facts, first=False),
            "open/longer": self._longer,
            "yesno/same_colour": self._same_colour,
        }

    def judges(self, form: str) -> bool:
        """Return whether a form joins facts."""
        return form in self._judges

    def reason(self, record: Record, facts: Sequence[Fact]) -> str:
        """Return why a record is rejected, or nothing."""
        whole = len(facts) == _FACTS.get(record.form, len(facts))
        return "" if whole and self._judges[record.form](record, facts) else UNJOINED

    def _shot(self, span: Span) -> int | None:
        """Return the number of the shot that a span meets most."""
        shared = [min(shot.end, span[1]) - max(shot.start, span[0]) for shot in self._of["shot"]]
        return shared.index(max(shared)) if shared and max(shared) > 0 else None

    def _stands(self, fact: Fact, text: str) -> bool:
        """Return whether the evidence at a fact's own spans says a text, where it is one."""
        kinds = TEXTS if fact.relation else (fact.attribute,)
        seen = (item for item in self._index.at(fact.spans) if item.kind in kinds)
        return any(holds(item, text) for item in seen)

    def _beside(self, record: Record, facts: Sequence[Fact]) -> bool:
        answer, said = facts
        told = fold(record.answer) == fold(answer.value) and self._stands(answer, answer.value)
        in_one_shot = self._shot(said.spans[0]) in map(self._shot, answer.spans)
        return told and in_one_shot and self._named(record, said)

    def _neighbour(self, record: Record, facts: Sequence[Fact], step: int) -> bool:
        answer, beside = facts
        told = fold(record.answer) == fold(answer.value) and self._stands(answer, answer.value)
        place = self._shot(beside.spans[0])
        after = place is not None and place + step in map(self._shot, answer.spans)
        return told and after and self._named(record, beside)

    def _named(self, record: Record, fact: Fact) -> bool:
        """Return whether a question names what is said or written in a fact, and truly so."""
        names = [fact.value]
        if fact.relation:
            names += [fact.relation.answer, fact.relation.slots.get("thing", fact.relation.answer)]
        return any(has_words(record.question, n) and self._stands(fact, n) for n in names)

    def _shots_in_colour(self, record: Record, facts: Sequence[Fact]) -> bool:
        value = facts[0].value
        count = sum(fold(item.value) == fold(value) for item in self._of["colour"])
        return fold(record.answer) == str(count) and has_words(record.question, value)

    def _sentences_with(self, record: Record, facts: Sequence[Fact]) -> bool:
        asked = fold(record.question).split()
        common = set.intersection(*(set(fold(fact.value).split()) for fact in facts))
        return any(
            str(sum(word in fold(item.value).split() for item in self._of["speech"]))
            == fold(record.answer)
            for word in common.intersection(asked)
        )

    def _order(self, record: Record, facts: Sequence[Fact], *, first: bool) -> bool:
        if not all(has_words(record.question, f.value) and self._stands(f, f.value) for f in facts):
            return False
        starts = {fold(fact.value): fact.spans[0][0] for fact in facts}
        chosen = (min if first else max)(starts, key=lambda value: starts[value])
        return len(starts) == len(facts) == 3 and fold(record.answer) == chosen

    def _longer(self, record: Record, facts: Sequence[Fact]) -> bool:
        if not all(has_words(record.question, f.value) and self._stands(f, f.value) for f in facts):
            return False
        longer, other = (sum(end - start for start, end in fact.spans) for fact in facts)
        return longer > other and fold(record.answer) == fold(facts[0].value)

    def _same_colour(self, record: Record, facts: Sequence[Fact]) -> bool:
        titles, colours = facts[:2], facts[2:]
        named = all(has_words(record.question, title.value) for title in titles)
        pairs = zip(titles, colours, strict=True)
        placed = all(self._shot(t.spans[0]) == self._shot(c.spans[0]) for t, c in pairs)
        seen = all(self._stands(colour, colour.value) for colour in colours)
        same = all(fold(a.value) == fold(b.value) for a, b in pairwise(colours))
        return named and placed and seen and fold(record.answer) == ("yes" if same else "no")
