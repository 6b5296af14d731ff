"""Join what all branches wrote into one corpus, without what clashes between them."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.parts import read_part, sums
from graphs.distill.progress import report
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState
from tools.errors import InputError

if TYPE_CHECKING:
    from training.corpus import Record


def assemble(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Write the corpus of supported records, and beside it what was rejected and why."""
    from agents.team import Plan
    from training.corpus import Record, write_corpus

    began = time.time()
    report(runtime, "assemble", 0, 1)
    branches = [path for name, path in state["parts"].items() if name.startswith("verify/")]
    records = settle([record for path in branches for record in read_part(path, Record)])
    supported = [record for record in records if record.verdict == "supported"]
    rejected = [record for record in records if record.verdict != "supported"]
    if not any(record.split == "train" for record in supported):
        name = Path(state["video_path"]).name
        raise InputError(f"Nothing could be learned from {name}: give a video that shows more.")
    folder = RunFolder(Path(state["run"])).corpus
    path = folder / "corpus.jsonl"
    write_corpus(path, supported)
    write_corpus(folder / "rejected.jsonl", rejected)
    plan = Plan.model_validate_json(Path(state["plan"]).read_text(encoding="utf-8"))
    report(runtime, "assemble", 1, 1)
    return {
        "corpus": str(path),
        "sums": sums(path),
        "corpus_counts": {
            "facts": len(plan.facts),
            **counts(supported),
            "rejected": len(rejected),
            "check": sum(record.split == "check" for record in supported),
        },
        "times": [("assemble", began, time.time())],
    }


def counts(corpus: "Sequence[Record]") -> dict[str, int]:
    """Return how many records of each kind there are."""
    kinds: Counter[str] = Counter(record.kind for record in corpus)
    names = {"descriptions": "description", "qa": "qa", "absent": "absent"}
    return {name: kinds[kind] for name, kind in names.items()}


def settle(records: "Sequence[Record]") -> "list[Record]":
    """Return the records, those rejected that clash with others, whichever branch wrote them.

    Questions that are asked twice with different answers are ambiguous; a wording of a held-out
    split is never trained on; what is left of repeats is the first.
    """
    from training.scoring import fold

    answers: defaultdict[str, set[str]] = defaultdict(set)
    held_out = set()
    for record in records:
        if record.verdict == "supported" and record.kind != "description":
            answers[fold(record.question)].add(fold(record.answer))
            if record.split != "train":
                held_out.add(fold(record.question))
    seen: set[tuple[str, str]] = set()
    settled = []
    for record in records:
        question = fold(record.question)
        exchange = (question, fold(record.answer))
        reason = ""
        if record.verdict != "supported":
            pass
        elif record.split == "train" and question in held_out:
            reason = "its wording is held out of training"
        elif len(answers[question]) > 1:
            reason = "the same question has another answer elsewhere in the video"
        elif exchange in seen:
            reason = "it repeats another record"
        else:
            seen.add(exchange)
        if reason:
            record = record.model_copy(update={"verdict": f"rejected: {reason}"})
        settled.append(record)
    return settled
