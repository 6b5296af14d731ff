"""Meta-learns the adapter that every training on the embedded backbone starts from.

    python -m training.warm_start --videos 80            # training/embedded/warm_start/ when done
    python -m training.warm_start --videos 80 --resume

Reptile (Nichol et al., arXiv 1803.02999): an adapter is trained on an invented video, and the start
moves a part of the way to where it ended; a few videos are trained side by side for each move. What
all videos have in common stays (how a question without a description finds its answer, and when to
refuse); what one video shows is undone by the next.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

import torch
from safetensors.torch import load_file, save_file

from training.backbone import EMBEDDED, REVISION, WARM_START, load_backbone, weights_hash
from training.corpus import Record
from training.nkr import CONFIG, WEIGHTS
from training.sft import SFTSettings, train
from training.wording.phrasing import word
from training.wording.timeline import Timeline
from training.worlds.documents import asks_about
from training.worlds.videos import invent
from training.worlds.words import everyday_words

SHOTS, FEWEST_FACTS = (6, 14), 30
# Looking tells these of any footage, whatever else it shows.
SEEN = frozenset(("colour", "brightness", "motion"))
WORDINGS = 40
# Of yes/no, choices, lists and summaries: distillation writes few of them.
KEPT = 0.3
# How far the start moves towards where the videos ended: less and less.
FAR, NEAR = 0.6, 0.1


def lessons(seed: int, number: int) -> list[Record]:
    """Return training records about an invented video, each fact in about `WORDINGS` of them."""
    rng = random.Random(f"warm-{seed}-{number}")
    words = everyday_words()
    timeline = invent(rng, words, rng.randint(*SHOTS))
    while not _like_footage(timeline):
        timeline = invent(rng, words, rng.randint(*SHOTS))
    asks = asks_about(timeline, rng, words, WORDINGS * len(timeline.facts))
    return [
        word(ask, "train", rng).record(f"warm-{index:05d}", f"invented-{number}")
        for index, ask in enumerate(asks)
        if ask.category in ("open", "absent") or rng.random() < KEPT
    ]


def _like_footage(timeline: Timeline) -> bool:
    told = {fact.attribute for fact in timeline.facts}
    return len(timeline.facts) >= FEWEST_FACTS and told >= SEEN


def adapted(start: Path | None, folder: Path, seed: int, number: int, steps: int) -> Path:
    """Train on one invented video from a start, on one thread; return the adapter's folder."""
    torch.set_num_threads(1)
    settings = SFTSettings(max_steps=steps, fewest_steps=steps, save_every=10 * steps, seed=seed)
    backbone = load_backbone("embedded", device="cpu")
    records = lessons(seed, number)
    return train(backbone, records, folder, settings, start=start, resume=False).adapter


def move(start: Path, ends: Sequence[Path], share: float) -> None:
    """Put the start's tensors a share of the way to the mean of the ends'; from nothing, there."""
    found = [load_file(end / WEIGHTS) for end in ends]
    mean = {name: torch.stack([one[name] for one in found]).mean(dim=0) for name in found[0]}
    if (start / WEIGHTS).is_file():
        old = load_file(start / WEIGHTS)
        mean = {name: tensor.lerp(mean[name], share) for name, tensor in old.items()}
    start.mkdir(exist_ok=True)
    shutil.copy(ends[0] / CONFIG, start)
    new = start / f".{WEIGHTS}"
    save_file(mean, new, metadata={"format": "pt"})
    new.rename(start / WEIGHTS)


def main(argv: list[str] | None = None) -> int:
    """Meta-learn and save; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m training.warm_start", description="Meta-learn where adapters start from."
    )
    parser.add_argument("--out", type=Path, default=WARM_START, help="where the adapter is saved")
    parser.add_argument("--work", type=Path, default=Path("runs/warm_start"), help="what is kept")
    parser.add_argument("--videos", type=int, default=80, help="invented videos that are learnt")
    parser.add_argument("--steps", type=int, default=120, help="steps of training on each")
    parser.add_argument("--together", type=int, default=2, help="videos for each move of the start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from the last move")
    args = parser.parse_args(argv)
    if min(args.videos, args.steps, args.together) < 1:
        parser.error("--videos, --steps and --together are at least 1")
    start, note = args.work / "start", args.work / "learnt.json"
    args.work.mkdir(parents=True, exist_ok=True)
    if not args.resume:
        note.unlink(missing_ok=True)
        shutil.rmtree(start, ignore_errors=True)
    first = json.loads(note.read_text()) if note.is_file() else 0
    began = time.monotonic()
    with ProcessPoolExecutor(
        args.together, mp_context=get_context("spawn"), initializer=end_with_parent
    ) as pool:
        for number in range(first, args.videos, args.together):
            jobs = [
                pool.submit(
                    adapted,
                    start if (start / WEIGHTS).is_file() else None,
                    args.work / f"video-{place}",
                    args.seed,
                    number + place,
                    args.steps,
                )
                for place in range(args.together)
            ]
            move(start, [job.result() for job in jobs], share(number / args.videos))
            done = number + args.together
            note.write_text(json.dumps(done))
            seconds = time.monotonic() - began
            left = seconds / (done - first) * (args.videos - done)
            print(
                f"videos: {done}/{args.videos}, {seconds:.0f} s, {left:.0f} s left", file=sys.stderr
            )
    made = args.out.with_name(f".{args.out.name}.new")
    shutil.copytree(start, made, dirs_exist_ok=True)
    (made / REVISION).write_text(weights_hash(EMBEDDED) + "\n")
    shutil.rmtree(args.out, ignore_errors=True)
    made.rename(args.out)
    return 0


def end_with_parent() -> None:
    """Let this worker end when its parent does, however that ended."""
    parent = parent_process()

    def end() -> None:
        if parent:
            parent.join()
            os._exit(1)

    Thread(target=end, daemon=True).start()


def share(done: float) -> float:
    """Return how far the start moves when a share of the videos is done."""
    return FAR + (NEAR - FAR) * done


if __name__ == "__main__":
    raise SystemExit(main())
