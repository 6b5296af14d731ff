"""Train the adapter on the corpus."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.heap import give_back
from graphs.distill.parts import sums
from graphs.distill.progress import report, warn
from graphs.distill.resources import backbone_of, behind_moments
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState

if TYPE_CHECKING:
    from training.corpus import Record

# A round after an exam: once over its records, at so much of the first rate; faster ones unlearnt
# more than they taught. Old records by each new one, and at least so many, keep the rest in place.
EPOCHS = 1
REHEARSED, FEWEST_OLD = 1.0, 3000
ROUND_RATE = 1 / 8


def train(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return where the adapter is and what its training took."""
    from training.corpus import read_corpus
    from training.fit import fit
    from training.recipe import recipe

    began = time.time()
    context = runtime.context
    give_back()
    backbone = backbone_of(context)

    number = len(state.get("exams", {}))
    folder = RunFolder(Path(state["run"])).train
    known = records = read_corpus(Path(state["corpus"]))
    settings = recipe(
        backbone.model, seed=context.seed, max_steps=context.max_steps, loss=context.loss
    )
    if number:
        records = lesson(records, number, context.seed, described=context.loss == "distill")
        settings = replace(
            settings,
            epochs=EPOCHS,
            learning_rate=settings.learning_rate * ROUND_RATE,
            moments=behind_moments(state),
        )
    trained = fit(
        backbone,
        records,
        folder / f"round-{number}" if number else folder,
        settings,
        known=known if number else (),
        start=Path(state["adapter"]) if number else backbone.warm_start,
        deadline=deadline(context),
        on_step=partial(on_step, runtime),
        resume=True,
    )
    warnings = []
    if trained.stopped:
        warnings = [f"time was short: training stopped after {trained.steps} steps"]
        warn(runtime, warnings[0])
    training = asdict(trained)
    adapter = str(training.pop("adapter"))
    return {
        "adapter": adapter,
        "sums": sums(*sorted(Path(adapter).glob("*.*"))),
        "training": added(state["training"], training) if number else training,
        "warnings": warnings,
        "times": [("train", began, time.time())],
    }


def lesson(
    records: "Sequence[Record]", number: int, seed: int, *, described: bool = False
) -> "list[Record]":
    """Return what a round after an exam trains on: its new records, and old ones among them.

    With ``described`` all descriptions are among the old ones: a teacher reads them.
    """
    from agents.team import is_written_after

    taught = [record for record in records if record.split == "train"]
    new = [record for record in taught if is_written_after(record, number)]
    old = [record for record in taught if not is_written_after(record, number)]
    count = min(len(old), max(FEWEST_OLD, round(REHEARSED * len(new))))
    chosen = random.Random(f"lesson-{seed}-{number}").sample(old, count)
    if described:
        told = [record for record in old if record.kind == "description"]
        chosen = [*told, *(record for record in chosen if record.kind != "description")]
    return [*new, *chosen]


def added(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of all rounds' trainings together."""
    total = {name: before[name] + after[name] for name in ("records", "steps", "tokens", "seconds")}
    speed = total["tokens"] / max(total["seconds"], 1e-9)
    return {
        **before,
        **total,
        "tokens_per_second": speed,
        "stopped": before["stopped"] or after["stopped"],
    }


def on_step(runtime: Runtime[Context], step: int, steps: int, loss: float) -> None:
    """Report a step of a training; Ctrl-C stops it there."""
    report(runtime, "train", step, steps, loss=loss)
    give_back()


def deadline(context: Context, part: float = 1.0) -> float | None:
    """Return when training must end, with ``part`` of what is kept left, on `time.monotonic`."""
    if context.max_minutes is None:
        return None
    return time.monotonic() + context.closing(part) - time.time()
