"""Let the question-writer mend what the verifier rejected, told why."""

import time
from pathlib import Path
from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from graphs.distill.assignments import assignment, part_name
from graphs.distill.context import Context
from graphs.distill.failing import leave_out
from graphs.distill.parts import read_part, sums, write_part
from graphs.distill.progress import advance, begin
from graphs.distill.resources import team_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import WritingWork

REJECTED = "rejected: "


@leave_out("revise", then=lambda work: [Send("verify", work)])
def revise(state: WritingWork, runtime: Runtime[Context]) -> Command[Literal["verify"]]:
    """Write the branch's records anew, mended ones in their old places, and verify them again."""
    from agents.team import Rejection
    from training.corpus import Record

    began = begin(runtime)
    records = read_part(state["written"][0], Record)
    rejections = [
        Rejection(record=record, reason=record.verdict.removeprefix(REJECTED))
        for record in records
        if record.verdict.startswith(REJECTED)
    ]
    revised = team_of(state, runtime.context).question_writer.revise(rejections, assignment(state))
    mended = {record.id: record.model_copy(update={"verdict": ""}) for record in revised}
    records = [mended.get(record.id, record) for record in records]
    part = write_part(RunFolder(Path(state["run"])).corpus / "parts", "revise", state, records)
    advance(runtime, "revise", state["total"])
    return Command(
        update={
            "parts": {part_name("revise", state): part},
            "sums": sums(part),
            "times": [(part_name("revise", state), began, time.time())],
        },
        goto=Send("verify", {**state, "written": [part]}),
    )
