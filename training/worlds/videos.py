"""Invented videos: random timelines of shots with titles, text, speech, looks and relations."""

import random
from collections.abc import Sequence

from training.facts import Fact, Relation, Span
from training.wording.timeline import Timeline, clock
from training.worlds.lexicon import lexicon
from training.worlds.sentences import label, sentence, short_sentence, title


class _Facts:
    """Facts collected one by one, numbered in order."""

    def __init__(self) -> None:
        self.all: list[Fact] = []

    def add(
        self, subject: str, attribute: str, value: str, span: Span, relation: Relation | None = None
    ) -> None:
        self.all.append(
            Fact.model_construct(
                id=f"f{len(self.all) + 1:04d}",
                subject=subject,
                attribute=attribute,
                value=value,
                spans=(span,),
                evidence_ids=(),
                relation=relation,
            )
        )


def invent(
    rng: random.Random, words: Sequence[str], count: int, *, terse: bool = False
) -> Timeline:
    """Return a random timeline of ``count`` shots, starting anywhere in a long video.

    In a ``terse`` one values are a word or two, and nothing but its shot binds them together.
    """
    start = 0.0 if rng.random() < 0.5 else float(rng.randint(0, 5400))
    facts, spans = _Facts(), []
    features = _features(rng)
    for index in range(count):
        length = rng.choice((rng.uniform(1.5, 9.0), rng.uniform(4.0, 15.0)))
        span = (start, start + length)
        spans.append(span)
        _shot(facts, f"shot {index + 1}", span, rng, words, features, terse)
        start += length
    whole = (0.0, start)
    if rng.random() < 0.3:
        facts.add("video", "shots", str(count), whole)
        facts.add("video", "duration", clock(start), whole)
    return Timeline.of(facts.all, spans, start)


def _features(rng: random.Random) -> set[str]:
    """Return which kinds of evidence this video has at all."""
    chances = {
        "title": 0.9, "text": 0.5, "speech": 0.75, "colour": 0.7, "brightness": 0.25,
        "motion": 0.4, "faces": 0.25,
    }  # fmt: skip
    found = {name for name, chance in chances.items() if rng.random() < chance}
    return found or {"title", "speech"}


def _shot(
    facts: _Facts,
    subject: str,
    span: Span,
    rng: random.Random,
    words: Sequence[str],
    features: set[str],
    terse: bool,
) -> None:
    known = lexicon()
    said = short_sentence if terse else sentence
    headline = label if terse else title
    if "title" in features and rng.random() < 0.92:
        facts.add(subject, "title", headline(rng, words), span)
        if "text" in features:
            for _ in range(rng.choice((0, 1, 1, 2, 2, 3))):
                facts.add(subject, "text", headline(rng, words), span)
    if "speech" in features and rng.random() < 0.9:
        count = rng.choice((1, 1, 2))
        length = (span[1] - span[0]) / count
        for place in range(count):
            told = (span[0] + place * length, span[0] + (place + 1) * length)
            text, relations = said(rng, words)
            facts.add(subject, "speech", text, told)
            for relation in relations:
                facts.add(subject, "relation", relation.answer, told, relation)
    for attribute in ("colour", "brightness"):
        if attribute in features:
            facts.add(subject, attribute, rng.choice(known[attribute]), span)
    if "motion" in features:
        value = "none" if rng.random() < 0.3 else rng.choice(known["motion"])
        facts.add(subject, "motion", value, span)
    if "faces" in features:
        facts.add(subject, "faces", str(rng.choice((0, 1, 1, 2, 3, 4, 7))), span)
