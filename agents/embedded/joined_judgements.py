"""What is wrong with a record that joins facts: hops, counts, order of three, comparisons."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from agents.embedded.evidence_index import EvidenceIndex, fold, has_words, holds
from tools.evidence import TEXTS, Evidence
from training.corpus import Record
from training.facts import Fact, Span

UNJOINED = "the evidence does not bear out how its facts are joined"

Judgement = Callable[[Record, Sequence[Fact]], bool]


class JoinedJudge:
    """Holds answers that take several facts against the evidence of the whole video."""

    def __init__(self, evidence: Sequence[Evidence], index: EvidenceIndex) -> None:
        self._index = index
        self._of = {
            kind: sorted((i for i in evidence if i.kind == kind), key=lambda i: i.start)
            for kind in ("shot", "colour", "speech")
        }
        # How many facts a form joins (0: any number), and whether they are truly so.
        self._judges: dict[str, tuple[int, Judgement]] = {
            "open/said_title": (2, partial(self._beside, step=0)),
            "open/said_colour": (2, partial(self._beside, step=0)),
            "open/said_next": (2, partial(self._beside, step=1)),
            "open/said_previous": (2, partial(self._beside, step=-1)),
            "open/text_next": (2, partial(self._beside, step=1)),
            "open/shots_in_colour": (0, self._shots_in_colour),
            "open/sentences_with": (0, self._sentences_with),
            "open/first_of": (3, partial(self._order, first=True)),
            "open/last_of": (3, partial(self._order, first=False)),
            "open/longer": (2, self._longer),
            "yesno/same_colour": (4, self._same_colour),
        }

    def judges(self, form: str) -> bool:
        """Return whether a form joins facts."""
        return form in self._judges

    def reason(self, record: Record, facts: Sequence[Fact]) -> str:
        """Return why a record is rejected, or nothing."""
        count, stands = self._judges[record.form]
        return "" if len(facts) == (count or len(facts)) and stands(record, facts) else UNJOINED

    def _shot(self, span: Span) -> int | None:
        """Return the number of the shot that a span meets most."""
        shared = [min(shot.end, span[1]) - max(shot.start, span[0]) for shot in self._of["shot"]]
        return shared.index(max(shared)) if shared and max(shared) > 0 else None

    def _stands(self, fact: Fact, text: str) -> bool:
        """Return whether the evidence at a fact's own spans says a text, where it is one."""
        kinds = TEXTS if fact.relation else (fact.attribute,)
        seen = (item for item in self._index.at(fact.spans) if item.kind in kinds)
        return any(holds(item, text) for item in seen)

    def _beside(self, record: Record, facts: Sequence[Fact], *, step: int) -> bool:
        """Judge an answer from the shot ``step`` shots after the one of the other fact."""
        answer, other = facts
        told = fold(record.answer) == fold(answer.value) and self._stands(answer, answer.value)
        place = self._shot(other.spans[0])
        placed = place is not None and place + step in map(self._shot, answer.spans)
        return told and placed and self._named(record, other)

    def _named(self, record: Record, fact: Fact) -> bool:
        """Return whether a question names what is said or written in a fact, and truly so."""
        names = [fact.value]
        if fact.relation:
            names += [fact.relation.answer, fact.relation.slots.get("thing", fact.relation.answer)]
        return any(has_words(record.question, n) and self._stands(fact, n) for n in names)

    def _all_named(self, record: Record, facts: Sequence[Fact]) -> bool:
        """Return whether a question has the values of all facts, and all stand."""
        return all(has_words(record.question, f.value) and self._stands(f, f.value) for f in facts)

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
        if not self._all_named(record, facts):
            return False
        starts = {fold(fact.value): fact.spans[0][0] for fact in facts}
        chosen = (min if first else max)(starts, key=lambda value: starts[value])
        return len(starts) == len(facts) and fold(record.answer) == chosen

    def _longer(self, record: Record, facts: Sequence[Fact]) -> bool:
        if not self._all_named(record, facts):
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
