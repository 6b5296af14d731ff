"""Quiz the adapter on the exam split, and decide whether it has learned enough."""

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from graphs.distill.context import Context
from graphs.distill.heap import give_back
from graphs.distill.nodes.assemble import counts
from graphs.distill.parts import sums, write_text
from graphs.distill.progress import report
from graphs.distill.resources import mounted_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState

if TYPE_CHECKING:
    from training.corpus import Record

# Below this much more of it than the best exam so far, another round is not worth its time.
GAIN = 0.002
# With so much left of the time after training no further question is asked; the check comes after.
LEFT = 0.75


def examine(
    state: DistillState, runtime: Runtime[Context]
) -> Command[Literal["augment", "restore"]]:
    """Note the recall by form and category, and send what was failed to the question-writer."""
    from agents import examiner
    from training.corpus import read_corpus, write_corpus

    began = time.time()
    context = runtime.context
    corpus = read_corpus(Path(state["corpus"]))
    records = [record for record in corpus if record.split == "exam"]
    # Shuffled, so that what was asked when the time is up is a fair sample.
    random.Random(context.seed).shuffle(records)
    mounted = mounted_of(state, context)

    def on_batch(asked: int) -> bool:
        report(runtime, "examine", asked, len(records))
        give_back()
        return time.time() < context.closing(LEFT)

    found = examiner.examine(mounted, records, on_batch=on_batch)
    report(runtime, "examine", len(found.asked), len(found.asked))
    number = len(state.get("exams", {}))
    folder = RunFolder(Path(state["run"])).exams
    folder.mkdir(parents=True, exist_ok=True)
    failed = [{"id": f.record.id, "answer": f.answer} for f in found.failures()]
    left = folder / f"failed-{number}.json"
    write_text(left, json.dumps(failed, ensure_ascii=False) + "\n")
    exam: dict[str, Any] = {
        **found.scores.shares(),
        "by_form": found.by_form(),
        "asked": len(found.asked),
        "failed": len(failed),
        "steps": state["training"]["steps"],
        "seconds": state["training"]["seconds"],
        "adapter": state["adapter"],
    }
    exams = {**state.get("exams", {}), f"{number:03d}": exam}
    update: dict[str, Any] = {"exams": exams, "sums": sums(left)}
    update["times"] = [("examine", began, time.time())]
    if failed and number < context.max_rounds and _worth_it(exams, context):
        return Command(update=update, goto="augment")
    best = max(exams, key=lambda one: exams[one]["recall"] or 0.0)
    if best != max(exams):
        # The corpus of an NKR is what its adapter learnt, and no later round.
        corpus = until(corpus, int(best), number)
        write_corpus(Path(state["corpus"]), corpus)
        update["corpus_counts"] = {**state["corpus_counts"], **counts(corpus)}
        update["sums"] |= sums(state["corpus"])
    return Command(update={**update, "adapter": exams[best]["adapter"]}, goto="restore")


def until(corpus: "Sequence[Record]", exam: int, last: int) -> "list[Record]":
    """Return the records that an adapter had learnt when it was examined, of those up to ``last``.

    The records of the first round are written after the first exam, and bear the number 1.
    """
    from agents.team import is_written_after

    later = range(exam + 1, last + 1)
    return [r for r in corpus if not any(is_written_after(r, number) for number in later)]


def _worth_it(exams: dict[str, dict[str, Any]], context: Context) -> bool:
    """Say whether another round is to be trained: aim, time and the last gain decide."""
    recalls = [exam["recall"] for _, exam in sorted(exams.items())]
    last = recalls[-1]
    if last is None or last >= context.target_recall:
        return False
    if len(recalls) > 1 and last < max(recalls[:-1]) + GAIN:
        return False
    return time.time() < context.closing(1.0)
