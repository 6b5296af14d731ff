"""Lectures that nobody gave: clips of any number of slides, each from its seed."""

import random
from collections.abc import Callable
from pathlib import Path

from evals.sample_clip import COLOURS, Slide, render
from training.worlds.sentences import sentence, title
from training.worlds.words import everyday_words

# What fits on a slide in the fonts of the sample clip.
TITLE, LINE = 24, 38
MOTIONS = ("none", "none", "left", "right", "up", "down")
SIZES = (8, 12, 16, 20, 24, 30, 36, 44, 52, 60)


def slides(count: int, seed: int) -> list[Slide]:
    """Return invented slides: no title comes twice."""
    rng = random.Random(f"clip-{seed}")
    words = everyday_words()
    titles: dict[str, None] = {}
    while len(titles) < count:
        titles[_short(lambda: title(rng, words), TITLE)] = None
    return [
        Slide(
            seconds=rng.randint(5, 9),
            colour=rng.choice(list(COLOURS)),
            title=name,
            line=_short(lambda: title(rng, words), LINE),
            speech=tuple(sentence(rng, words)[0] for _ in range(rng.randint(1, 2))),
            motion=rng.choice(MOTIONS),  # type: ignore[arg-type]
        )
        for name in titles
    ]


def render_all(folder: Path) -> list[Path]:
    """Render a clip for each of `SIZES` that is not there yet, and return them all."""
    paths = []
    for seed, count in enumerate(SIZES):
        path = folder / f"generated-{count:02d}.mp4"
        paths.append(path if path.exists() else render(path, slides(count, seed)))
    return paths


def _short(make: Callable[[], str], longest: int) -> str:
    while len(text := make()) > longest:
        pass
    return text
