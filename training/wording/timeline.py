"""What the grammar speaks about: a video as shots with their facts."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise

from training.facts import Fact, Span

# Spans that lie no further apart have nothing between them.
TOUCHING = 0.05
_LOOKS = ("colour", "brightness", "motion", "faces")


def clock(seconds: float) -> str:
    """Return a time as ``MM:SS``, or ``H:MM:SS`` past the hour (whole seconds, rounded down)."""
    whole = max(0, math.floor(seconds + 1e-6))
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute:02d}:{second:02d}"


def whole_seconds(span: Span) -> range:
    """Return the whole seconds that lie inside a span."""
    return range(math.ceil(span[0] - 1e-6), math.ceil(span[1] - 1e-6))


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1] + TOUCHING:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def holes(shots: Sequence[Span], seconds: float) -> list[Span]:
    """Return the spans of a video that lie in none of its shots: nobody looked at them."""
    if not shots:
        return []
    # A video's own clock may begin anywhere, and its first shot is always looked at.
    end = max(seconds + min(0.0, shots[0][0]), *(end for _, end in shots))
    return [(one[1], other[0]) for one, other in pairwise(joined([*shots, (end, end)]))]


def clear(span: Span, missing: Iterable[Span]) -> bool:
    """Return whether nothing of a span is missing."""
    return not any(start < span[1] and end > span[0] for start, end in missing)


def lies_in(span: Span, shot: Span) -> bool:
    """Return whether a span's larger part, or a fifth of a second of it, lies in a shot."""
    overlap = min(shot[1], span[1]) - max(shot[0], span[0])
    return (
        overlap > min(0.5 * (span[1] - span[0]), 0.5 * (shot[1] - shot[0])) - 1e-6 and overlap > 0
    )


@dataclass(frozen=True)
class Shot:
    """A span with the facts that hold in it, in the order of the screen and of the speech.

    ``facts`` are those that may be asked about, among all that are ``known``.
    """

    span: Span
    facts: tuple[Fact, ...]
    known: tuple[Fact, ...]

    def of(self, attribute: str) -> list[Fact]:
        """Return what is known of one attribute of the shot."""
        return [fact for fact in self.known if fact.attribute == attribute]

    def first(self, attribute: str) -> Fact | None:
        """Return the first that is known of an attribute of the shot."""
        return next((fact for fact in self.known if fact.attribute == attribute), None)


# Compared by identity: what is found out about one is kept with it.
@dataclass(frozen=True, eq=False)
class Timeline:
    """A video's shots in order, its facts and its length in seconds.

    ``facts`` are those that may be asked about. What is counted, what is beside and what comes only
    once is told by all that are ``known``, and where shots are missing not at all.
    """

    shots: tuple[Shot, ...]
    facts: tuple[Fact, ...]
    seconds: float
    known: tuple[Fact, ...]

    @classmethod
    def of(cls, facts: Iterable[Fact], spans: Sequence[Span], seconds: float) -> "Timeline":
        """Return the timeline of facts over shots' spans in order; a fact lies where its own do."""
        facts = tuple(facts)
        starts = [start for start, _ in spans]
        ends = list(accumulate((end for _, end in spans), max))
        inside: list[list[Fact]] = [[] for _ in spans]
        for fact in facts:
            if fact.attribute not in ("shots", "duration"):
                for place in {
                    place
                    for span in fact.spans
                    for place in range(bisect_right(ends, span[0]), bisect_left(starts, span[1]))
                    if lies_in(span, spans[place])
                }:
                    inside[place].append(fact)
        shots = (
            Shot((start, end), tuple(found), tuple(found))
            for (start, end), found in zip(spans, inside, strict=True)
        )
        return cls(tuple(shots), facts, seconds, facts)

    def knowing(self, unasked: Sequence[Fact]) -> "Timeline":
        """Return the timeline with facts that are known and not to be asked about."""
        if not unasked:
            return self
        # Ids are numbers in the order of the screen and of the speech.
        known = sorted([*self.facts, *unasked], key=lambda fact: (len(fact.id), fact.id))
        wide = self.of(known, [shot.span for shot in self.shots], self.seconds)
        shots = (
            replace(shot, facts=asked.facts)
            for shot, asked in zip(wide.shots, self.shots, strict=True)
        )
        return replace(wide, shots=tuple(shots), facts=self.facts)

    def may_ask(self, fact_ids: Iterable[str]) -> bool:
        """Return whether all of some facts may be asked about."""
        return self._asked.issuperset(fact_ids)

    @cached_property
    def _asked(self) -> frozenset[str]:
        return frozenset(fact.id for fact in self.facts)

    @cached_property
    def holes(self) -> list[Span]:
        """The spans that nobody looked at."""
        return holes([shot.span for shot in self.shots], self.seconds)

    def seen(self, start: float, end: float, *, ends: bool = False) -> bool:
        """Return whether all between two times was looked at, with ``ends`` what is beside too."""
        beside = 2 * TOUCHING if ends else 0.0
        return clear((start - beside, end + beside), self.holes)

    def beside(self, index: int, step: int) -> Shot | None:
        """Return the shot so many shots after another, where none is missing between them."""
        place = index + step
        if not 0 <= place < len(self.shots):
            return None
        row = [self.shots[i].span for i in sorted((index, place))]
        return self.shots[place] if self.seen(row[0][0], row[1][1]) else None

    @cached_property
    def sentences(self) -> list[Fact]:
        """The spoken sentences in the order of their first span."""
        return sorted(
            (fact for fact in self.known if fact.attribute == "speech"), key=lambda f: f.spans[0]
        )

    def says(self, text: str) -> set[str]:
        """Return the spoken sentences that have a text in them."""
        return {fact.value for fact in self.sentences if text in fact.value}

    @cached_property
    def titles(self) -> list[Fact]:
        """The titles in the order of their first span."""
        return sorted(
            (fact for fact in self.known if fact.attribute == "title"), key=lambda f: f.spans[0]
        )

    @cached_property
    def first_shot(self) -> dict[str, int]:
        """The number of the first shot of each fact that lies in one, by the fact's id."""
        found: dict[str, int] = {}
        for index, shot in enumerate(self.shots):
            for fact in shot.facts:
                found.setdefault(fact.id, index)
        return found

    @cached_property
    def uses(self) -> Counter[tuple[str, str]]:
        """In how many shots an (attribute, folded value) pair stands."""
        return Counter(
            pair
            for shot in self.shots
            for pair in {(fact.attribute, fact.value.casefold()) for fact in shot.known}
        )

    def unique(self, fact: Fact) -> bool:
        """Return whether no other shot holds this value of the attribute."""
        if self.holes and (fact.attribute in _LOOKS or len(fact.spans) > 1):
            # A colour comes again where nobody looked, and what is said again may be said there.
            return False
        return self.uses[(fact.attribute, fact.value.casefold())] == 1

    @cached_property
    def told(self) -> str:
        """All that is shown and said, one a line and in small letters."""
        return "\n".join(fact.value.casefold() for fact in self.known)

    def values(self, attribute: str) -> list[str]:
        """Return the different values of an attribute, in order."""
        return list(dict.fromkeys(f.value for f in self.facts if f.attribute == attribute))
