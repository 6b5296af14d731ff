"""Decide what becomes of rejected records: back to the question-writer, or into the corpus."""

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, Send

from graphs.distill.assignments import part_name, writing_works
from graphs.distill.context import Context
from graphs.distill.state import DistillState, WritingWork


def review(
    state: DistillState, runtime: Runtime[Context]
) -> Command[Literal["revise", "assemble"]]:
    """Send the branches with rejected records back while revisions are left.

    Each branch that ends comes here, and the last one goes on: those of a chapter are described one
    by one. (LangGraph's deferred nodes do not wait for what is yet to be sent.) Where none has a
    verdict the run ends here.
    """
    branches = writing_works(state, runtime.context)
    if not state["rejected"] or not all(_has_ended(state, work) for work in branches):
        return Command()
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
        for work in branches
        if part_name("verify", work) in rejected
    ]
    return Command(update={"revisions": revision}, goto=[Send("revise", work) for work in works])


def _has_ended(state: DistillState, work: WritingWork) -> bool:
    """Tell whether a branch was verified, or was left out on the way there."""
    left_out = {*state.get("skipped", []), *(name for name, _ in state.get("failed", []))}
    stages = ("describe", "write_questions", "verify")
    return part_name("verify", work) in state["rejected"] or any(
        part_name(stage, work) in left_out for stage in stages
    )
