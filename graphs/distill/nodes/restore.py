"""Measure what the adapter made the backbone forget, and bring it back where it is too much."""

import random
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.heap import give_back
from graphs.distill.nodes.train import added, deadline, on_step
from graphs.distill.parts import sums
from graphs.distill.progress import report, warn
from graphs.distill.resources import backbone_of, behind_moments, mounted_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState

if TYPE_CHECKING:
    from training.forgetting import Forgetting
    from training.sft import TrainReport

# With so much left of the time after training nothing is measured for the first time, or once more;
# the check comes after.
MEASURED, AGAIN = 0.6, 0.38
# Measuring once more may take so much longer than it did.
SLACK = 1.2


@dataclass(frozen=True)
class _Lesson:
    """What is restored with: the video's own records keep the answers in place."""

    manner: str
    records: int
    exercises: float
    """So many by each record."""
    rate: float
    """So much of the first rate, once over."""


# An adapter that had lost 0.033 of the probe and knew 0.989 of its video had lost 0.017 after the
# first, and knew as much; the second alone left nothing lost, and 0.957 known.
LESSONS = (_Lesson("gently", 600, 1.0, 1 / 4), _Lesson("firmly", 300, 4.0, 1 / 2))


def restore(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return what the forgetting probe found, and the adapter: another one if it found too much."""
    began = time.time()
    context = runtime.context
    warnings: list[str] = []

    def tell(text: str) -> None:
        warn(runtime, text)
        warnings.append(text)

    found = _measured(state, runtime, MEASURED)
    probe = SLACK * (time.time() - began)
    update: dict[str, Any] = {}
    for lesson in LESSONS:
        spoilt = past_limits(found, context)
        if not spoilt or time.time() + probe >= context.closing(AGAIN):
            break
        what = "; ".join(spoilt)
        tell(f"exercises are learnt once more, {lesson.manner}: the adapter spoilt {what}")
        trained = _trained(state, runtime, lesson, probe)
        restored: DistillState = {
            **state,
            "adapter": str(trained.adapter),
            "training": added(state["training"], asdict(trained)),
        }
        again = _measured(restored, runtime, AGAIN)
        if again.prompts < found.prompts:
            # What is known to spoil too much is not taken for better on part of the probe.
            break
        found, state = again, restored
        update = {
            "adapter": state["adapter"],
            "sums": sums(*sorted(trained.adapter.glob("*.*"))),
            "training": state["training"],
        }
    cut = found.prompts < _prompts()
    if cut:
        tell("the forgetting probe was cut short: its limits were not applied")
    return {
        **update,
        "forgetting": asdict(found),
        "skipped": ["restore"] if cut else [],
        "warnings": warnings,
        "times": [("restore", began, time.time())],
    }


def past_limits(forgetting: "Forgetting", context: Context) -> list[str]:
    """Return what the adapter spoilt more of than the settings allow, in words.

    Of a few exercises, asked when the time was up, one answer more or less would decide.
    """
    from training.forgetting import Limits

    if forgetting.prompts < _prompts():
        return []
    limits = Limits(
        accuracy_lost=context.max_accuracy_lost,
        kl=context.max_kl,
        unchanged=context.min_unchanged,
    )
    return forgetting.exceeded(limits)


def _prompts() -> int:
    from training.probe import read_probe

    return len(read_probe())


def _measured(state: DistillState, runtime: Runtime[Context], left: float) -> "Forgetting":
    from training.forgetting import measure

    def on_batch(asked: int) -> bool:
        report(runtime, "restore", asked, _prompts())
        give_back()
        return time.time() < runtime.context.closing(left)

    on_batch(0)
    found = measure(mounted_of(state, runtime.context), on_batch=on_batch)
    report(runtime, "restore", found.prompts, found.prompts)
    return found


def _trained(
    state: DistillState, runtime: Runtime[Context], lesson: _Lesson, probe: float
) -> "TrainReport":
    """Go on with the adapter over exercises and a few records, with time left for the probe.

    The records' answers themselves are learnt, whatever the loss: they are to stay as they are.
    """
    from training.corpus import read_corpus
    from training.fit import fit
    from training.recipe import recipe

    context = runtime.context
    backbone = backbone_of(context)
    known = [r for r in read_corpus(Path(state["corpus"])) if r.split == "train"]
    settings = recipe(backbone.model, seed=context.seed, max_steps=context.max_steps)
    end = deadline(context, AGAIN)
    return fit(
        backbone,
        random.Random(f"restore-{context.seed}").sample(known, min(lesson.records, len(known))),
        RunFolder(Path(state["run"])).train / f"restored-{lesson.manner}",
        replace(
            settings,
            epochs=1,
            learning_rate=settings.learning_rate * lesson.rate,
            replay_share=lesson.exercises,
            moments=behind_moments(state),
        ),
        known=known,
        start=Path(state["adapter"]),
        deadline=None if end is None else end - probe,
        on_step=partial(on_step, runtime),
        resume=True,
    )
