"""The report of a run: everything that was counted and measured, and its short form."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agents.language.spending import spending
from graphs.distill.context import Context
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState

SUMMARY = ("nkr", "video", "evidence", "corpus", "train", "scores", "seconds")
TRAIN = ("records", "exposures", "steps", "tokens", "seconds", "tokens_per_second")


def full_report(state: DistillState, context: Context) -> dict[str, Any]:
    """Return what `report.json` holds."""
    return {
        "nkr": state["nkr"],
        "video": state["video"],
        "evidence": state["evidence_counts"],
        "corpus": state["corpus_counts"],
        "train": {name: state["training"][name] for name in TRAIN},
        "scores": state["scores"],
        "check_by_form": state["by_form"],
        "forgetting": state["forgetting"],
        "calibration": state["calibration"],
        "exams": [exam for _, exam in sorted(state["exams"].items())],
        "seconds": stage_seconds(state["times"]),
        "settings": state["settings"],
        "max_minutes": context.max_minutes,
        "cut_short": bool(state.get("skipped")) or state["training"]["stopped"],
        "skipped": state.get("skipped", []),
        "failed": state.get("failed", []),
        "spending": spending(RunFolder(Path(state["run"])).calls),
        "warnings": state.get("warnings", []),
    }


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a report that a command prints."""
    told = {name: report[name] for name in SUMMARY}
    if report.get("spending"):
        told |= {name: report[name] for name in ("spending", "failed")}
    return told


def stage_seconds(times: Iterable[tuple[str, float, float]]) -> dict[str, float]:
    """Return how long each stage took, in the order of the stages.

    Branches (``<stage>/<index>``) run beside each other: time that several share counts once.
    """
    by_stage: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for stage, begin, end in sorted(times, key=lambda item: item[1]):
        by_stage[stage.partition("/")[0]].append((begin, end))
    totals = {}
    for stage, intervals in by_stage.items():
        total, reached = 0.0, 0.0
        for begin, end in intervals:
            total += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        totals[stage] = round(total, 2)
    return totals
