"""Decide what becomes of rejected records: back to the question-writer, or into the corpus."""

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from graphs.assignments import part_name, writing_works
from graphs.context import Context
from graphs.state import DistillState, WritingWork


def review(
    state: DistillState, runtime: Runtime[Context]
) -> Command[Literal["revise", "assemble"]]:
    """Send the branches with rejected records back while revisions are left."""
    revision = state["revisions"] + 1
    rejected = {name for name, count in state["rejected"].items() if count}
    if not rejected or revision > runtime.context.max_revisions:
        return Command(goto="assemble")
    works: list[WritingWork] = [
        {
            **work,
            "written": [state["parts"][part_name("verify", work)]],
            "round": revision,
            "total": len(rejected),
        }
        for work in writing_works(state, runtime.context)
        if part_name("verify", work) in rejected
    ]
    return Command(update={"revisions": revision}, goto=[Send("revise", work) for work in works])
