"""Questions in wordings written apart from every grammar of the agents and of pretraining.

Their authors had not read the grammar, and a test compares the two, so that a good score on them
says something about people.
"""

import random
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources

from training.corpus import Record
from training.wording.absent import absent_ask
from training.wording.asks import Ask, asks_of, by_form
from training.wording.hops import hop_asks
from training.wording.phrasing import word
from training.wording.timeline import Timeline
from training.worlds.words import everyday_words

SPOKEN = ("who", "where", "when", "how_many", "how_much")
PER_FACT = 2
PER_SPOKEN = 3
HOPS = ("said_title", "said_colour", "said_next", "said_previous", "text_next")
PER_HOP_FORM = 6
ABSENT = 40
# A cloze is a task, not a question: it is asked as it stands.
_BARE = ("{q}",)


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """Return the wordings by the name of their table ("value.title")."""
    text = resources.files("evals").joinpath("apart.toml").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {"opener_cloze": _BARE}
    for group, tables in tomllib.loads(text).items():
        if "apart" in tables:
            found[group] = tuple(tables["apart"])
        else:
            found |= {f"{group}.{name}": tuple(t["apart"]) for name, t in tables.items()}
    return found


def facts_asked(timeline: Timeline, seed: int) -> list[Record]:
    """Return a few open questions about every fact of a video."""
    rng = random.Random(f"apart-{seed}")
    asks = [ask for found in _open_asks(timeline) for ask in _some(found, rng)]
    return _records(asks, rng)


def spoken_asked(timeline: Timeline, seed: int) -> list[Record]:
    """Return who, where, when and how many of all that is said, a few times each."""
    rng = random.Random(f"apart-spoken-{seed}")
    asks = [
        ask
        for found in _open_asks(timeline)
        for ask in found
        if ask.form.partition("/")[2] in SPOKEN
    ]
    return _records([ask for ask in asks for _ in range(PER_SPOKEN)], rng)


def hops_asked(timeline: Timeline, seed: int) -> list[Record]:
    """Return questions that take two or three steps from fact to fact."""
    rng = random.Random(f"apart-hops-{seed}")
    asks: list[Ask] = []
    found = by_form(hop_asks(timeline))
    for form in HOPS:
        alike = found.get(f"open/{form}", [])
        asks += rng.sample(alike, min(len(alike), PER_HOP_FORM))
    return _records(asks, rng)


def absent_asked(timeline: Timeline, seed: int) -> list[Record]:
    """Return plausible questions about what the video does not show."""
    rng = random.Random(f"apart-absent-{seed}")
    asks = [absent_ask(timeline, rng, everyday_words()) for _ in range(ABSENT)]
    return _records(asks, rng)


def _open_asks(timeline: Timeline) -> Iterator[list[Ask]]:
    """Yield the open asks of each fact, once, in the shot that shows it first."""
    for index, shot in enumerate(timeline.shots):
        for fact in shot.facts:
            if timeline.first_shot[fact.id] == index:
                yield [ask for ask in asks_of(timeline, index, fact) if ask.category == "open"]


def _some(asks: list[Ask], rng: random.Random) -> list[Ask]:
    """Return asks of a fact in different forms, where it has several."""
    found = by_form(asks)
    chosen = rng.sample(sorted(found), min(len(found), PER_FACT))
    return [rng.choice(found[form]) for form in chosen]


def _records(asks: Iterable[Ask], rng: random.Random) -> list[Record]:
    def find(table: str, split: str) -> Sequence[str]:
        return wordings()[table]

    asked = (word(ask, "apart", rng, find) for ask in asks)
    return [one.record(f"apart-{number:04d}", split="check") for number, one in enumerate(asked)]
