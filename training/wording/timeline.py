"""What the grammar speaks about: a video as shots with their facts."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from training.facts import Fact, Span


def clock(seconds: float) -> str:
    """Return a time as ``MM:SS``, or ``H:MM:SS`` past the hour (whole seconds, rounded down)."""
    whole = max(0, math.floor(seconds + 1e-6))
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute:02d}:{second:02d}"


def whole_seconds(span: Span) -> range:
    """Return the whole seconds that lie inside a span."""
    return range(math.ceil(span[0] - 1e-6), math.ceil(span[1] - 1e-6))


@dataclass(frozen=True)
class Shot:
    """A span with the facts that hold in it, in the order of the screen and of the speech."""

    span: Span
    facts: tuple[Fact, ...]

    def of(self, attribute: str) -> list[Fact]:
        """Return the shot's facts of one attribute."""
        return [fact for fact in self.facts if fact.attribute == attribute]

    def first(self, attribute: str) -> Fact | None:
        """Return the shot's first fact of an attribute."""
        return next((fact for fact in self.facts if fact.attribute == attribute), None)


# Compared by identity: what is found out about one is kept with it.
@dataclass(frozen=True, eq=False)
class Timeline:
    """A video's shots in order, its facts and its length in seconds."""

    shots: tuple[Shot, ...]
    facts: tuple[Fact, ...]
    seconds: float

    @classmethod
    def of(cls, facts: Iterable[Fact], spans: Sequence[Span], seconds: float) -> "Timeline":
        """Return the timeline of facts over shots' spans; a fact lies where its spans overlap."""
        facts = tuple(facts)
        shots = []
        for start, end in spans:
            inside = [
                fact
                for fact in facts
                if fact.attribute not in ("shots", "duration")
                and any(_within(start, end, span) for span in fact.spans)
            ]
            shots.append(Shot((start, end), tuple(inside)))
        return cls(tuple(shots), facts, seconds)

    @cached_property
    def sentences(self) -> list[Fact]:
        """The spoken sentences in the order of their first span."""
        return sorted(
            (fact for fact in self.facts if fact.attribute == "speech"), key=lambda f: f.spans[0]
        )

    def says(self, text: str) -> set[str]:
        """Return the spoken sentences that have a text in them."""
        return {fact.value for fact in self.sentences if text in fact.value}

    @cached_property
    def titles(self) -> list[Fact]:
        """The titles in the order of their first span."""
        return sorted(
            (fact for fact in self.facts if fact.attribute == "title"), key=lambda f: f.spans[0]
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
            for pair in {(fact.attribute, fact.value.casefold()) for fact in shot.facts}
        )

    def unique(self, fact: Fact) -> bool:
        """Return whether no other shot holds this value of the attribute."""
        return self.uses[(fact.attribute, fact.value.casefold())] == 1

    def values(self, attribute: str) -> list[str]:
        """Return the different values of an attribute, in order."""
        return list(dict.fromkeys(f.value for f in self.facts if f.attribute == attribute))


def _within(start: float, end: float, span: Span) -> bool:
    """Return whether a span's larger part, or a fifth of a second of it, lies in a shot."""
    overlap = min(end, span[1]) - max(start, span[0])
    return overlap > min(0.5 * (span[1] - span[0]), 0.5 * (end - start)) - 1e-6 and overlap > 0
