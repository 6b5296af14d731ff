"""Join what was measured into one evidence store, and plan what must be covered."""

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.failing import told
from graphs.distill.heap import give_back
from graphs.distill.parts import read_part, sums, write_text
from graphs.distill.progress import report, warn
from graphs.distill.resources import EYES, team_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState

if TYPE_CHECKING:
    from tools.evidence import Evidence

_KINDS = ("shot", "colour", "brightness", "motion", "faces", "title", "text", "speech")


def plan(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Store the evidence, and return the plan of what must be covered."""
    from tools.evidence import Evidence, EvidenceStore
    from tools.speaker_names import named

    began = time.time()
    report(runtime, "plan", 0, 1)
    EYES.close(Path(state["video_path"]))
    give_back()
    folder = RunFolder(Path(state["run"]))
    unseen = sum(name.startswith("perceive/") for name in state.get("skipped", []))
    warnings = []
    if unseen:
        warnings = [f"time was short: {unseen} of {len(state['spans'])} spans were not looked at"]
        warn(runtime, warnings[0])
    measured = [
        path
        for name, path in sorted(state["parts"].items())
        if name.startswith(("perceive/", "listen"))
    ]
    evidence = named(number(item for path in measured for item in read_part(path, Evidence)))
    # What an earlier run measured may have been numbered otherwise.
    (folder.evidence / "evidence.jsonl").unlink(missing_ok=True)
    EvidenceStore(folder.evidence).add(evidence)

    context = runtime.context
    with told(runtime, "planning"):
        planned = team_of(state, context).planner.plan(evidence, state["video"]["seconds"])
    folder.corpus.mkdir(parents=True, exist_ok=True)
    path = folder.corpus / "plan.json"
    write_text(path, planned.model_dump_json(indent=1) + "\n")
    report(runtime, "plan", 1, 1)
    kinds = Counter(item.kind for item in evidence)
    return {
        "plan": str(path),
        "sums": sums(path, folder.evidence / "evidence.jsonl"),
        "evidence_counts": {
            "shots": kinds["shot"],
            "text": kinds["title"] + kinds["text"],
            "speech": kinds["speech"],
        },
        "warnings": warnings,
        "times": [("plan", began, time.time())],
    }


def number(found: "Iterable[Evidence]") -> "list[Evidence]":
    """Return evidence in the order of the video, with ids that say so.

    Lines of one screen stay as they were found, from top to bottom.
    """
    ordered = sorted(found, key=lambda item: (item.start, _KINDS.index(item.kind), item.end))
    return [
        item.model_copy(update={"id": f"e{place:04d}"}) for place, item in enumerate(ordered, 1)
    ]
