"""Turn the facts of one span, or of the whole video, into question-answer records."""

import time
from pathlib import Path
from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from graphs.distill.assignments import assignment, part_name
from graphs.distill.context import Context
from graphs.distill.failing import leave_out
from graphs.distill.parts import sums, write_part
from graphs.distill.progress import advance, begin
from graphs.distill.resources import team_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import WritingWork


@leave_out("write_questions", then=lambda work: ["review"])
def write_questions(
    state: WritingWork, runtime: Runtime[Context]
) -> Command[Literal["verify", "review"]]:
    """Write a part file of records and hand it, with the descriptions, to the verifier."""
    began = begin(runtime)
    records = team_of(state, runtime.context).question_writer.write(assignment(state))
    folder = RunFolder(Path(state["run"])).corpus / "parts"
    part = write_part(folder, "write_questions", state, records)
    advance(runtime, "write_questions", state["total"])
    return Command(
        update={
            "parts": {part_name("write_questions", state): part},
            "sums": sums(part),
            "times": [(part_name("write_questions", state), began, time.time())],
        },
        goto=Send("verify", {**state, "written": [*state["written"], part]}),
    )
