"""Write dense descriptions of one span, or of the whole video."""

import time
from pathlib import Path
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from graphs.distill.assignments import assignment, following, part_name
from graphs.distill.context import Context
from graphs.distill.failing import leave_out
from graphs.distill.parts import sums, write_part
from graphs.distill.progress import advance, begin
from graphs.distill.resources import team_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import WritingWork

# The share of --max-minutes after which no further span is written about.
SHARE = 0.55
# So many descriptions are shown to the describer of the next span.
REMEMBERED = 2

# Where a description may lead.
Goal = Send | Literal["write_questions", "describe", "review"]


def next_span(work: WritingWork) -> list[Goal]:
    """Return where the describer goes on, if anywhere."""
    later = following(work)
    return [Send("describe", later)] if later else []


def without_it(work: WritingWork) -> list[Goal]:
    """Return where a branch that is left out goes on: its chapter does, and itself has ended."""
    return [*next_span(work), "review"]


@leave_out("describe", then=without_it)
def describe(
    state: WritingWork, runtime: Runtime[Context]
) -> Command[Literal["write_questions", "describe", "review"]]:
    """Write a part file of description records; on to its question-writer, and to the next span."""
    began = begin(runtime)
    # The first span and the whole video are always written about.
    if state["index"] > 0 and state["span"] is not None and runtime.context.out_of_time(SHARE):
        advance(runtime, "describe", state["total"])
        skipped: dict[str, Any] = {"skipped": [part_name("describe", state)]}
        return Command(update=skipped, goto=without_it(state))
    records = team_of(state, runtime.context).describer.describe(assignment(state))
    part = write_part(RunFolder(Path(state["run"])).corpus / "parts", "describe", state, records)
    advance(runtime, "describe", state["total"])
    return Command(
        update={
            "parts": {part_name("describe", state): part},
            "sums": sums(part),
            "times": [(part_name("describe", state), began, time.time())],
        },
        goto=[
            Send("write_questions", {**state, "written": [part]}),
            *next_span({**state, "before": [*state["before"], part][-REMEMBERED:]}),
        ],
    )
