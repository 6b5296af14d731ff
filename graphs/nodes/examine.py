"""Quiz the adapter once on questions that it was never trained on, and fill the scores."""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.context import Context
from graphs.progress import report, warn
from graphs.resources import load_backbone
from graphs.state import DistillState

if TYPE_CHECKING:
    from training.answerer import Answer, Answerer
    from training.corpus import Record

TRAIN_SAMPLE = 200
_BATCH = 32
# The share of --max-minutes after which no further question is asked; publishing comes after.
SHARE = 0.97


def examine(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return the scores of the ``check`` split, asked once, of the blind backbone, and of train."""
    from training.corpus import read_corpus
    from training.mount import mount
    from training.scoring import score

    began = time.time()
    context = runtime.context
    mounted = mount(load_backbone(context.backbone, context.backbone_name), Path(state["adapter"]))
    # Shuffled, so that what was asked when the time is up is a fair sample.
    records = read_corpus(Path(state["corpus"]))
    random.Random(context.seed).shuffle(records)
    check = [record for record in records if record.split == "check"]
    check_open = [record for record in check if record.category == "open"]
    train_open = [r for r in records if r.split == "train" and r.category == "open"][:TRAIN_SAMPLE]
    total = len(check) + len(check_open) + len(train_open)
    done = 0

    def ask(answerer: "Answerer", asked: "Sequence[Record]") -> "list[Answer]":
        nonlocal done
        answers: list[Answer] = []
        for first in range(0, len(asked), _BATCH):
            if context.out_of_time(SHARE):
                break
            batch = asked[first : first + _BATCH]
            answers += answerer.answer([record.question for record in batch])
            report(runtime, "examine", done + len(answers), total)
        done += len(answers)
        return answers

    with_nkr, blind, trained = (
        ask(mounted, check),
        ask(mounted.blind, check_open),
        ask(mounted, train_open),
    )
    warnings = []
    if done < total:
        warnings = [f"time was short: {done} of {total} examination questions were asked"]
        warn(runtime, warnings[0])
    told = score(check[: len(with_nkr)], with_nkr)
    return {
        "scores": {
            "recall_check": told.recall,
            "recall_blind": score(check_open[: len(blind)], blind).recall,
            "recall_train": score(train_open[: len(trained)], trained).recall,
            "yesno": told.yesno,
            "choice": told.choice,
            "lists": told.lists,
            "false_answers": told.false_answers,
            "false_refusals": told.false_refusals,
        },
        "skipped": ["examine"] if done < total else [],
        "warnings": warnings,
        "times": [("examine", began, time.time())],
    }
