"""General reading exercises: a sentence, a question about it, and the answer that stands in it.

They have nothing to do with any video. Mixed into a video's records they keep its adapter from
making the backbone forget how to read from a context.
"""

import random
from dataclasses import dataclass

from training.prompt import user_turn
from training.wording.asks import Ask, relation_table
from training.wording.phrasing import word
from training.worlds.sentences import sentence
from training.worlds.words import everyday_words

KINDS = ("who", "where", "when", "how_many", "how_much", "which", "what")


@dataclass(frozen=True)
class Reading:
    """One exercise; the answer stands in the context word for word."""

    context: str
    question: str
    answer: str

    @property
    def turn(self) -> str:
        """What the user says."""
        return user_turn(self.question, self.context)


def reading(rng: random.Random, kind: str | None = None) -> Reading:
    """Return an exercise whose question is of a kind, of any where none is given."""
    while True:
        text, relations = sentence(rng, everyday_words())
        fit = [
            relation
            for relation in relations
            if relation.kind in ((kind,) if kind else KINDS) and relation.answer in text
        ]
        if fit:
            relation = rng.choice(fit)
            table, slots = relation_table(relation)
            ask = Ask(f"open/{relation.kind}", table, relation.answer, (), (), slots=slots)
            return Reading(text, word(ask, "train", rng).question, relation.answer)


def replay(count: int, seed: int) -> list[Reading]:
    """Return so many exercises, none of them with a sentence of the forgetting probe."""
    from training.forgetting import read_probe

    kept = {item.context for item in read_probe()}
    rng = random.Random(f"replay-{seed}")
    found: list[Reading] = []
    while len(found) < count:
        item = reading(rng)
        if item.context not in kept:
            found.append(item)
    return found
