"""Check one branch's records against the evidence at the spans that they cite."""

import time
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from graphs.distill.assignments import part_name, read_plan
from graphs.distill.context import Context
from graphs.distill.failing import leave_out
from graphs.distill.parts import read_part, sums, write_part
from graphs.distill.progress import advance, begin
from graphs.distill.resources import team_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import WritingWork


@leave_out("verify")
def verify(state: WritingWork, runtime: Runtime[Context]) -> dict[str, Any]:
    """Write the records with their verdicts, and return how many were rejected."""
    from tools.evidence import EvidenceStore
    from training.corpus import Record

    began = begin(runtime)
    folder = RunFolder(Path(state["run"]))
    records = [record for path in state["written"] for record in read_part(path, Record)]
    judged = team_of(state, runtime.context).verifier.verify(
        records,
        read_plan(Path(state["plan"]), state["plan_hash"]),
        EvidenceStore(folder.evidence).all(),
    )
    part = write_part(folder.corpus / "parts", "verify", state, judged)
    advance(runtime, "verify", state["total"])
    return {
        "parts": {part_name("verify", state): part},
        "sums": sums(part),
        "rejected": {part_name("verify", state): sum(r.verdict != "supported" for r in judged)},
        "times": [(part_name("verify", state), began, time.time())],
    }
