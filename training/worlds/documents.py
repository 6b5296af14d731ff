"""Pretraining documents: a description of an invented video, then a talk of questions about it."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from training.corpus import REFUSAL
from training.wording.absent import absent_ask
from training.wording.asks import Ask, fact_asks, video_asks
from training.wording.describe import ask_to_describe, describe
from training.wording.hops import hop_asks
from training.wording.phrasing import word
from training.wording.timeline import Timeline
from training.worlds.follow_ups import follow_up
from training.worlds.sentences import filler, sentence, title
from training.worlds.turns import Talk, Turn
from training.worlds.videos import invent

ABSENT_SHARE = 0.12
# What a backbone learns last comes more often: what stands beside a sentence, and what it lacks;
# most of all what takes two steps, of which a video has few.
HARD = {
    **dict.fromkeys(("before_speech", "after_speech", "cloze", "gap", "when_mention"), 3.0),
    **dict.fromkeys(("about", "when_text", "when_motion", "first_of", "last_of", "longer"), 3.0),
    **dict.fromkeys(("text_next", "said_next", "said_previous"), 9.0),
    **dict.fromkeys(("said_title", "said_colour"), 4.0),
}
# Choices and yes/no say little of what was read: one of a few answers is right by chance.
CATEGORIES = {"open": 8.0, "yesno": 3.0, "choice": 1.5, "list": 1.8, "summary": 0.4}


def document(
    rng: random.Random,
    words: Sequence[str],
    *,
    most_shots: int = 4,
    terse: bool = False,
    split: str = "train",
) -> Talk:
    """Return one talk about an invented video.

    A ``terse`` one is about several shots of few words, and asks nothing but what one fact tells
    of another, in its shot or beside it: that has to be found out, where a long description lets
    one guess. In a few talks each question may lean on the one before; a few have no description,
    and every question in them meets the refusal.
    """
    shots = rng.randint(2, most_shots + 2) if terse else rng.randint(1, most_shots)
    timeline = invent(rng, words, shots, terse=terse)
    if rng.random() < 0.03:
        asked = word(absent_ask(timeline, rng, words), split, rng)
        return Talk((), [Turn(asked.question, REFUSAL)])
    sheet = tuple(describe(shot, rng) for shot in timeline.shots)
    together = rng.random() < 0.08
    turns = []
    for ask in asks_about(timeline, rng, words, rng.randint(14, 20), bound=terse):
        asked = word(ask, split, rng)
        turns.append(Turn(asked.question, asked.answer, part_of(timeline, ask)))
        if together and rng.random() < 0.5:
            turns += follow_up(timeline, ask, split, rng)
    if rng.random() < 0.08:
        shot = rng.choice(timeline.shots)
        turns.append(Turn(ask_to_describe(shot, rng), describe(shot, rng)))
    return Talk(sheet, turns, together)


def part_of(timeline: Timeline, ask: Ask) -> int:
    """Return the number, from one, of the only shot that an ask is about; 0 where there is none."""
    if ask.category in ("absent", "list") or len(ask.spans) != 1:
        return 0
    ((start, end),) = ask.spans
    meets = [min(end, b) - max(start, a) for a, b in (shot.span for shot in timeline.shots)]
    return meets.index(max(meets)) + 1 if (start, end) != (0.0, timeline.seconds) else 0


def echo(rng: random.Random, words: Sequence[str]) -> Talk:
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
    return Talk((), turns, together=True)


_REPEAT = ("Repeat this", "Say after me", "Write this again", "Copy these words", "Say it again")
_GO_ON = ("Go on", "How did this go on", "Say all of it again", "Which line began like this")


def asks_about(
    timeline: Timeline, rng: random.Random, words: Sequence[str], count: int, *, bound: bool = False
) -> Iterator[Ask]:
    """Yield asks of every form that the video has, rare forms nearly as often as common ones.

    Where they are ``bound``, only open ones about facts and their joins.
    """
    forms: defaultdict[str, defaultdict[str, list[Ask]]] = defaultdict(lambda: defaultdict(list))
    found = [*fact_asks(timeline), *hop_asks(timeline)]
    if not bound:
        found += video_asks(timeline)
    for ask in found:
        if ask.category == "open" or not bound:
            forms[ask.category][ask.form].append(ask)
    for _ in range(count):
        if not forms or rng.random() < ABSENT_SHARE:
            yield absent_ask(timeline, rng, words)
            continue
        categories = list(forms)
        (category,) = rng.choices(categories, [CATEGORIES[name] for name in categories])
        asks = list(forms[category].values())
        (chosen,) = rng.choices(asks, [_weight(alike) for alike in asks])
        yield rng.choice(chosen)


def _weight(alike: Sequence[Ask]) -> float:
    """Return how often a form is asked, by its asks."""
    name = alike[0].form.partition("/")[2]
    cue = name.partition("_by_")[2]
    return len(alike) ** 0.5 * HARD.get(name, HARD.get(cue, 1.0))
