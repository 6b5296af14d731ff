"""Follow-up questions, which say only what is new: "And at 00:12?", "What colour was it then?"."""

import random

from training.wording.asks import Ask, fact_asks
from training.wording.phrasing import cue_words, phrases, word
from training.wording.timeline import Timeline
from training.worlds.turns import Turn

_AND = ("And {cue}?", "What about {cue}?", "{cue}?", "How about {cue}?", "The same {cue}?")
_THEN = ("then", "there", "at that moment", "in that place", "at the same time")


def follow_up(timeline: Timeline, ask: Ask, split: str, rng: random.Random) -> list[Turn]:
    """Return a turn that leans on an ask before it, or none where none comes to mind."""
    if ask.cue is None or ask.category != "open":
        return []
    others = [
        other for other in fact_asks(timeline) if other.category == "open" and other.cue is not None
    ]
    if rng.random() < 0.5:
        alike = [o for o in others if o.table == ask.table and o.slots == ask.slots]
        other = rng.choice([o for o in alike if o.cue != ask.cue] or [ask])
        assert other.cue is not None
        asked = rng.choice(_AND).format(cue=cue_words(other.cue, split, rng))
    else:
        same = [o for o in others if o.cue == ask.cue and o.table != ask.table and not o.quoted]
        if not same:
            return []
        other = rng.choice(same)
        core = rng.choice(phrases(other.table, split))
        asked = core.format(cue=rng.choice(_THEN), **other.slots) + "?"
    if other is ask:
        return []
    return [Turn(asked[0].upper() + asked[1:], word(other, split, rng).answer)]
