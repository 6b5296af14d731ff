"""Ask the check split once, and calibrate the confidence."""

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.heap import give_back
from graphs.distill.progress import report, warn
from graphs.distill.resources import mounted_of
from graphs.distill.state import DistillState

if TYPE_CHECKING:
    from agents.examiner import Examination
    from training.answerer import Answerer
    from training.calibration import Doubted
    from training.corpus import Record

TRAIN_SAMPLE = 200
BATCH = 32
# With so much left of the time after training no further question is asked: to fit the confidence,
# and to measure what is known. Publishing comes after.
CALIBRATED, LEFT = 0.3, 0.12


def check(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return the scores of the ``check`` split, asked once, of the blind backbone, and of train."""
    from agents import examiner
    from training.calibration import FITTED_ON, fit
    from training.corpus import read_corpus

    began = time.time()
    context = runtime.context
    mounted = mounted_of(state, context)
    # Shuffled, so that what was asked when the time is up is a fair sample.
    records = read_corpus(Path(state["corpus"]))
    random.Random(context.seed).shuffle(records)
    asked = [record for record in records if record.split == "check"]
    asked_open = [record for record in asked if record.category == "open"]
    train_open = [r for r in records if r.split == "train" and r.category == "open"][:TRAIN_SAMPLE]
    doubtful = [r for r in records if r.split == "calibrate" and r.category in FITTED_ON]
    total = sum(map(len, (asked, asked_open, train_open, doubtful)))
    done = 0

    def until(left: float, count: int) -> bool:
        report(runtime, "check", done + count, total)
        give_back()
        return time.time() < context.closing(left)

    on_batch = partial(until, LEFT)

    def ask(answerer: "Answerer", questions: "Sequence[Record]") -> "Examination":
        nonlocal done
        found = examiner.examine(answerer, questions, on_batch=on_batch)
        done += len(found.asked)
        return found

    # What decides on what is told comes before what is only reported.
    doubted = _doubted(mounted, doubtful, partial(until, CALIBRATED))
    done += len(doubted)
    told = ask(mounted, asked)
    blind, trained = ask(mounted.blind, asked_open), ask(mounted, train_open)
    warnings = []
    if done < total:
        warnings = [f"time was short: {done} of {total} questions of the check were asked"]
        warn(runtime, warnings[0])
    report(runtime, "check", done, done)
    scores = told.scores.shares()
    return {
        "scores": {
            "recall_check": scores.pop("recall"),
            "recall_blind": blind.scores.recall,
            "recall_train": trained.scores.recall,
            **scores,
            "reading_lost": state["forgetting"]["accuracy_lost"],
        },
        "by_form": told.by_form(),
        "calibration": fit(doubtful[: len(doubted)], doubted).model_dump(),
        "skipped": ["check"] if warnings else [],
        "warnings": warnings,
        "times": [("check", began, time.time())],
    }


def _doubted(
    mounted: "Answerer", records: "Sequence[Record]", on_batch: Callable[[int], bool]
) -> "list[Doubted]":
    """Ask as much of the calibrate split as there is time for, in several wordings."""
    from training.calibration import ask_again

    doubted: list[Doubted] = []
    for first in range(0, len(records), BATCH):
        if not on_batch(first):
            break
        doubted += ask_again(mounted, [r.question for r in records[first : first + BATCH]])
    return doubted
