"""Pretraining documents: a description of an invented video, then a talk of questions about it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.corpus import REFUSAL
from training.wording.absent import absent_ask
from training.wording.asks import Ask, asks_of, video_asks
from training.wording.describe import ask_to_describe, describe
from training.wording.phrasing import Worded, word
from training.wording.timeline import Timeline
from training.worlds.sentences import filler, sentence, title
from training.worlds.videos import invent


@dataclass(frozen=True)
class Turn:
    """What the user says and what the assistant answers."""

    user: str
    assistant: str


def document(
    rng: random.Random, words: Sequence[str], *, most_shots: int = 4, split: str = "train"
) -> list[Turn]:
    """Return one talk: its first turn carries the description, later ones ask on.

    A few talks have no description: every question in them meets the refusal.
    """
    timeline = invent(rng, words, rng.randint(1, most_shots))
    questions = list(_questions(timeline, rng, words, rng.randint(12, 18), split))
    if rng.random() < 0.06:
        return [Turn(questions[0].question, REFUSAL)]
    sheet = "\n".join(describe(shot, rng) for shot in timeline.shots)
    turns = [Turn(asked.question, asked.answer) for asked in questions]
    if rng.random() < 0.08:
        shot = rng.choice(timeline.shots)
        turns.append(Turn(ask_to_describe(shot, rng), describe(shot, rng)))
    return [Turn(f"{sheet}\n\n{turns[0].user}", turns[0].assistant), *turns[1:]]


def echo(rng: random.Random, words: Sequence[str]) -> list[Turn]:
    """Return a talk in which the assistant says lines after the user, old ones now and then.

    Nothing teaches a small model to copy, and so to quote what it reads, as fast as this does.
    """
    said: list[str] = []
    turns = []
    for _ in range(rng.randint(2, 4)):
        line = " ".join(
            rng.choice((sentence(rng, words)[0], title(rng, words), filler(rng, words)))
            for _ in range(rng.randint(1, 3))
        )
        if said and rng.random() < 0.3:
            old = rng.choice(said)
            start = " ".join(old.split()[:3])
            turns.append(Turn(f"{rng.choice(_GO_ON)}: {start}", old))
        else:
            turns.append(Turn(f"{rng.choice(_REPEAT)}: {line}", line))
            said.append(line)
    return turns


_REPEAT = ("Repeat this", "Say after me", "Write this again", "Copy these words", "Say it again")
_GO_ON = ("Go on", "How did this go on", "Say all of it again", "Which line began like this")


def _questions(
    timeline: Timeline, rng: random.Random, words: Sequence[str], count: int, split: str
) -> Iterator[Worded]:
    """Yield questions over a few facts, so that one fact is asked in several ways."""
    places = [(i, fact) for i, shot in enumerate(timeline.shots) for fact in shot.facts]
    chosen = rng.sample(places, min(len(places), max(2, count // 2)))
    whole: list[Ask] = list(video_asks(timeline))
    for _ in range(count):
        style = rng.random()
        if style < 0.08:
            yield word(absent_ask(timeline, rng, words), split, rng)
            continue
        asks: list[Ask] = []
        if style < 0.2 and whole:
            asks = [rng.choice(whole)]
        elif chosen:
            asks = _weighted(list(asks_of(timeline, *rng.choice(chosen))), rng)
        if asks:
            yield word(rng.choice(asks), split, rng)
        else:
            yield word(absent_ask(timeline, rng, words), split, rng)


def _weighted(asks: list[Ask], rng: random.Random) -> list[Ask]:
    """Return the asks of one category, open ones most often: choices and yes/no teach less."""
    category = rng.choices(("open", "yesno", "choice", "list"), (8, 1.5, 1, 1))[0]
    asks = [ask for ask in asks if ask.category == category] or asks
    timed = [ask for ask in asks if ask.cue and ask.cue.kind == "time"]
    return timed if timed and rng.random() < 0.35 else asks
