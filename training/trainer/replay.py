"""General reading exercises: a short text, a question about it, and the answer that stands in it.

They have nothing to do with any video. Mixed into a video's records they keep its adapter from
making the backbone forget how to read from a context.
"""

import random

from training.probe import Reading, read_probe
from training.wording.asks import Ask, fact_asks, relation_table
from training.wording.describe import describe
from training.wording.phrasing import word
from training.worlds.sentences import sentence
from training.worlds.videos import invent
from training.worlds.words import everyday_words

KINDS = ("who", "where", "when", "how_many", "how_much", "which", "what")
# The share of exercises over a sheet of two shots; the others are over one sentence.
SHEETS = 0.9


def reading(rng: random.Random) -> Reading:
    """Return an exercise over a sheet or over a sentence."""
    return from_sheet(rng) if rng.random() < SHEETS else from_sentence(rng)


def from_sheet(rng: random.Random) -> Reading:
    """Return an exercise over two invented shots: one fact of a shot asked by another."""
    while True:
        timeline = invent(rng, everyday_words(), 2, terse=True)
        sheet = "\n".join(describe(shot, rng) for shot in timeline.shots)
        asks = [
            ask
            for ask in fact_asks(timeline)
            if ask.category == "open"
            and ask.cue is not None
            and ask.cue.kind in ("title", "text", "colour")
            and sheet.count(ask.answer) == 1
        ]
        if asks:
            asked = word(rng.choice(asks), "train", rng)
            return Reading(sheet, asked.question, asked.answer)


def from_sentence(rng: random.Random) -> Reading:
    """Return an exercise over an invented sentence: what it says of something."""
    while True:
        text, relations = sentence(rng, everyday_words())
        fit = [r for r in relations if r.kind in KINDS and r.answer in text]
        if fit:
            relation = rng.choice(fit)
            table, slots = relation_table(relation)
            ask = Ask(f"open/{relation.kind}", table, relation.answer, (), (), slots=slots)
            return Reading(text, word(ask, "train", rng).question, relation.answer)


def replay(count: int, seed: int) -> list[Reading]:
    """Return so many exercises, none of them with a text of the forgetting probe."""
    kept = {item.context for item in read_probe()}
    rng = random.Random(f"replay-{seed}")
    found: list[Reading] = []
    while len(found) < count:
        item = reading(rng)
        if item.context not in kept:
            found.append(item)
    return found
