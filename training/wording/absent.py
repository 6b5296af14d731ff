"""Questions about what a video does not show, which only the refusal answers."""

import random
from collections.abc import Sequence

from training.corpus import REFUSAL
from training.wording.asks import Ask, Cue, relation_table
from training.wording.timeline import Timeline
from training.worlds.lexicon import person, slots
from training.worlds.sentences import sentence, title

_CUED = ("title", "speech", "colour", "text")


def absent_ask(timeline: Timeline, rng: random.Random, words: Sequence[str]) -> Ask:
    """Return one plausible ask that the timeline cannot answer.

    Its cue is a title, a line, words or a time that the video does not have, or it is about a name
    that nobody mentions, or about anything in the world.
    """
    whole = ((0.0, timeline.seconds),)
    style = rng.random()
    if style < 0.25:
        attribute = rng.choice(("title", "text", "speech"))
        value = _unseen(timeline, rng, words, attribute)
        return Ask(
            f"absent/when_{attribute}", f"when.{attribute}", REFUSAL, (), whole,
            slots={"x": value}, quoted=("x",),
        )  # fmt: skip
    if style < 0.65:
        asked = [a for a in _CUED if any(f.attribute == a for f in timeline.facts)] or ["title"]
        attribute = rng.choice(asked)
        table = {"text": "list.text"}.get(attribute, f"value.{attribute}")
        return Ask(f"absent/{attribute}", table, REFUSAL, (), whole, _foreign(timeline, rng, words))
    if style < 0.73:
        return Ask("absent/general", "absent.general", REFUSAL, (), whole, slots=slots(rng))
    if style < 0.79:
        return Ask("absent/about", "relation.about", REFUSAL, (), whole, slots={"x": person(rng)})
    while True:
        relations = [r for r in sentence(rng, words)[1] if r.kind in _ASKED]
        if relations:
            relation = rng.choice(relations)
            table, told = relation_table(relation)
            return Ask(f"absent/{relation.kind}", table, REFUSAL, (), whole, slots=told)


_ASKED = ("who", "what", "where", "when", "how_much", "is")


def _foreign(timeline: Timeline, rng: random.Random, words: Sequence[str]) -> Cue:
    style = rng.random()
    if style < 0.35:
        past = timeline.seconds + rng.choice((20, 60, 300, 1500)) * rng.uniform(0.3, 1.0) + 3
        return Cue("time", span=(past, past + 2))
    if style < 0.8:
        kind = rng.choice(("title", "text", "after_title", "before_title"))
        return Cue(kind, _unseen(timeline, rng, words, kind))
    return Cue("speech", _unseen(timeline, rng, words, "speech"))


def _unseen(timeline: Timeline, rng: random.Random, words: Sequence[str], kind: str) -> str:
    """Return a title, or a sentence, that the timeline does not have."""
    while True:
        value = sentence(rng, words)[0] if kind == "speech" else title(rng, words)
        if value.casefold() not in timeline.told:
            return value
