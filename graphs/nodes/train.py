"""Train the adapter on the corpus."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from graphs.context import Context
from graphs.progress import report, warn
from graphs.resources import load_backbone
from graphs.runs import RunFolder
from graphs.state import DistillState

# What of --max-minutes is kept for examining and publishing: a share of it within these seconds.
RESERVED_SHARE = 0.15
RESERVED = (15.0, 120.0)


def train(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return where the adapter is and what its training took."""
    from training import sft
    from training.corpus import read_corpus

    began = time.time()
    context = runtime.context
    backbone = load_backbone(context.backbone, context.backbone_name)

    def on_step(step: int, steps: int, loss: float) -> None:
        report(runtime, "train", step, steps)

    trained = sft.train(
        backbone,
        read_corpus(Path(state["corpus"])),
        RunFolder(Path(state["run"])).train,
        sft.SFTSettings(seed=context.seed, max_steps=context.max_steps),
        deadline=deadline(context),
        on_step=on_step,
        resume=True,
    )
    warnings = []
    if trained.stopped:
        warnings = [f"time was short: training stopped after {trained.steps} steps"]
        warn(runtime, warnings[0])
    training = asdict(trained)
    return {
        "adapter": str(training.pop("adapter")),
        "training": training,
        "warnings": warnings,
        "times": [("train", began, time.time())],
    }


def deadline(context: Context) -> float | None:
    """Return when training must end, on the clock of `time.monotonic`."""
    if context.max_minutes is None:
        return None
    low, high = RESERVED
    reserved = min(high, max(low, RESERVED_SHARE * 60 * context.max_minutes))
    return time.monotonic() + context.moment(1.0) - reserved - time.time()
