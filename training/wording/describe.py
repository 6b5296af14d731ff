"""Writes a shot down as sentences: what the describer says and what pretraining reads."""

import random

from training.wording.asks import ORDINALS, overlap
from training.wording.phrasing import phrases
from training.wording.timeline import Shot, clock

ORDER = ("title", "text", "colour", "brightness", "motion", "faces", "speech")


def describe(shot: Shot, rng: random.Random) -> str:
    """Return a description of a shot with all its facts, in one of many styles."""
    order = list(ORDER)
    if rng.random() < 0.5:
        rng.shuffle(order)
    sentences = []
    for attribute in order:
        facts = shot.of(attribute)
        table = phrases(f"describe.{attribute}", "train")
        phrase = rng.choice(table)
        for place, fact in enumerate(facts):
            value = f'"{fact.value}"' if attribute in _QUOTED and rng.random() < 0.5 else fact.value
            n = ORDINALS[place] if place < len(ORDINALS) else "next"
            told = clock(overlap(shot.span, fact.spans)[0])
            sentence = phrase.format(x=value, n=n, t=told)
            sentences.append(sentence[0].upper() + sentence[1:])
    separator = " " if rng.random() < 0.8 else "\n"
    body = separator.join(sentences) or "Nothing can be told."
    frame = rng.choice(phrases("describe.span", "train"))
    return frame.format(a=clock(shot.span[0]), b=clock(shot.span[1]), body=body)


_QUOTED = ("title", "text", "speech")


def ask_to_describe(shot: Shot, rng: random.Random) -> str:
    """Return a request that a description of the shot answers."""
    span = rng.choice(phrases("describe.ask_span", "train"))
    span = span.format(a=clock(shot.span[0]), b=clock(shot.span[1]))
    request = rng.choice(phrases("describe.ask", "train")).format(span=span)
    return request[0].upper() + request[1:] + "."
