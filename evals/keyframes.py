"""How often the frames that an agent sees hold what flashes by: three choices at one token budget.

    python -m evals.keyframes                       # as a table
    python -m evals.keyframes --json --clips 4      # fewer generated clips

Each generated clip is a lecture of one to five minutes in slides of 10 to 40 s, some with something
that moves; three other slides, the needles, stand for 0.5 to 2 s in it. Candidates are two frames a
second. A needle is found where a chosen frame shows it. ``asked`` is with a question about it, for
which the texts count that the tools read in the clip; ``unasked`` is without any.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

from evals.generated_clips import slides
from evals.sample_clip import Slide, render
from tools.evidence import Evidence
from tools.keyframes import METHODS, choose
from training.worlds.sentences import title
from training.worlds.words import everyday_words

CLIPS = 10
SCENES = (6, 10)
LENGTHS = (10, 40)
NEEDLES = 3
SHOWN = (0.5, 2.0)
BUDGETS = (4, 8, 16, 32)
EVERY = 0.5
SIDE = 192


@dataclass(frozen=True)
class Needle:
    """What stands on the screen from ``start`` to ``end``, in seconds."""

    start: float
    end: float
    title: str

    @property
    def question(self) -> str:
        """What a viewer asks who half remembers it."""
        return f"What did the slide about {self.title.lower()} say?"


def clip(folder: Path, seed: int) -> tuple[Path, list[Needle]]:
    """Render a clip, and return it with its needles."""
    rng = random.Random(f"needles-{seed}")
    scenes = [
        replace(slide, seconds=float(rng.randint(*LENGTHS)))
        for slide in slides(rng.randint(*SCENES), seed)
    ]
    words = everyday_words()
    shown: list[Slide] = []
    needles: list[Needle] = []
    hidden = set(rng.sample(range(len(scenes)), NEEDLES))
    clock = 0.0
    for place, scene in enumerate(scenes):
        parts = [scene]
        if place in hidden:
            first = round(rng.uniform(0.2, 0.8) * scene.seconds, 1)
            needle = Slide(
                seconds=round(rng.uniform(*SHOWN), 1),
                colour=rng.choice([scene.colour, "white", "grey"]),
                title=title(rng, words)[:24],
                line="for a moment",
                speech=(),
            )
            rest = replace(scene, seconds=scene.seconds - first, speech=())
            parts = [replace(scene, seconds=first), needle, rest]
            since = clock + first
            needles.append(Needle(since, since + needle.seconds, needle.title))
        shown += parts
        clock += sum(part.seconds for part in parts)
    return render(folder / f"needles-{seed:02d}.mp4", shown), needles


def read(path: Path) -> list[Evidence]:
    """Return the texts that the tools read in a clip, shot by shot, as a distillation does."""
    from graphs.distill.nodes.perceive import measure
    from graphs.distill.resources import EYES
    from tools.shots import detect_shots

    with EYES.borrow(path) as eyes:
        shots = detect_shots(eyes.reader)
        found = [
            item
            for shot in shots
            for item in measure(eyes, shot.index, shot.start, shot.end)
            if item.kind in ("title", "text")
        ]
    EYES.close(path)
    return found


def hits(path: Path, needles: Sequence[Needle], image_embedder: str | None) -> dict[str, Any]:
    """Return for each choice, budget and way of asking the share of needles found."""
    from graphs.distill.resources import load_looks
    from tools.embedding import Embedder
    from tools.relevance import relevance
    from tools.video import open_video

    looks, embedder = load_looks(image_embedder), Embedder()
    with open_video(path) as reader:
        frames = list(reader.stream(EVERY, SIDE))
    features = looks.of_images([frame.image for frame in frames])
    evidence = read(path)
    texts = [
        " ".join(item.value for item in evidence if item.start <= frame.time < item.end)
        for frame in frames
    ]
    found: dict[str, Any] = {}
    for asked in ("asked", "unasked"):
        near = [
            relevance(
                [needle.question] if asked == "asked" else [],
                features,
                texts,
                looks=looks,
                embedder=embedder,
            )
            for needle in needles
        ]
        for method, budget in product(METHODS, BUDGETS):
            chosen = (choose(method, features, scores, budget) for scores in near)
            times = [[frames[place].time for place in places] for places in chosen]
            found[f"{asked}/{method}/{budget}"] = mean(
                any(needle.start <= time < needle.end for time in shown)
                for needle, shown in zip(needles, times, strict=True)
            )
    return found


def main() -> int:
    """Print the shares."""
    parser = argparse.ArgumentParser(prog="python -m evals.keyframes", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--clips", type=int, default=CLIPS, help=f"generated clips ({CLIPS})")
    parser.add_argument("--image-embedder", help="CLIP or SigLIP model")
    arguments = parser.parse_args()
    every: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.clips):
            print(f"clip {seed + 1}/{arguments.clips}", file=sys.stderr)
            path, needles = clip(Path(folder), seed)
            for name, share in hits(path, needles, arguments.image_embedder).items():
                every[name].append(share)
    shares = {name: round(mean(found), 3) for name, found in every.items()}
    if arguments.json:
        print(json.dumps({"clips": arguments.clips, "needles_found": shares}))
    else:
        print_table(shares)
    return 0


def print_table(shares: dict[str, float]) -> None:
    """Print a row for each choice and way of asking."""
    from rich.console import Console
    from rich.table import Table

    table = Table("asked", "choice", *(f"{budget} frames" for budget in BUDGETS))
    for asked in ("asked", "unasked"):
        for method in METHODS:
            row = [f"{shares[f'{asked}/{method}/{budget}']:.2f}" for budget in BUDGETS]
            table.add_row(asked, method, *row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
