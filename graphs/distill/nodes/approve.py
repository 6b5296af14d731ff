"""Where a human may look before a run goes on: at what will be covered, and at what was written.

`interrupt` runs its node again from the start, so that each has a node of its own.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt

from graphs.distill.assignments import in_chapters, writing_works
from graphs.distill.context import Context
from graphs.distill.parts import are_whole
from graphs.distill.spread import spread
from graphs.distill.state import DistillState
from tools.errors import InputError

if TYPE_CHECKING:
    from agents.team import Plan
    from training.facts import Fact

_YES = {"yes", "y", "ok", "approve", "approved", "true"}
_SHOWN = 200


class Approval(TypedDict):
    """What is asked of a human: ``approve`` says what, ``file`` holds it whole."""

    approve: Literal["plan", "corpus"]
    file: str
    shows: list[str]
    answer_with: str


def approve_plan(state: DistillState, runtime: Runtime[Context]) -> Command[Literal["describe"]]:
    """Have the plan approved where that is asked for, and send its chapters to their describers."""
    if "plan" in runtime.context.approve:
        from agents.team import Plan

        _unchanged(state)
        plan = Plan.model_validate_json(Path(state["plan"]).read_text(encoding="utf-8"))
        shows = list(islice(covered(plan), _SHOWN))
        if (more := len(plan.spans) - _SHOWN) > 0:
            shows.append(f"and {more} or so more spans in {state['plan']}")
        _ask("plan", state["plan"], shows)
    chapters = in_chapters(writing_works(state, runtime.context))
    return Command(goto=[Send("describe", chapters[i][0]) for i in spread(len(chapters))])


def approve_corpus(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Have the corpus approved where that is asked for."""
    if "corpus" in runtime.context.approve:
        _unchanged(state)
        _ask("corpus", state["corpus"], list(written(Path(state["corpus"]))))
    return {}


def covered(plan: "Plan") -> Iterator[str]:
    """Yield a line for each span of a plan: its facts, and how many there are of the whole."""
    from training.wording.timeline import clock

    whole = [fact for fact in plan.facts if fact.subject == "video"]
    yield f"{len(plan.facts)} facts in {len(plan.spans)} spans, {len(whole)} over the whole video"
    if whole:
        yield f"the whole video: {'; '.join(map(_told, whole))}"
    for start, end in plan.spans:
        found = [
            _told(fact)
            for fact in plan.facts
            if fact.subject != "video" and any(a < end and start < b for a, b in fact.spans)
        ]
        yield f"{clock(start)}-{clock(end)}: {'; '.join(found) or 'nothing'}"


def _told(fact: "Fact") -> str:
    said = f"{fact.attribute} {fact.value!r}"
    return f"{said} ({fact.relation.kind}, {fact.relation.sentence!r})" if fact.relation else said


def written(corpus: Path) -> Iterator[str]:
    """Yield how many records there are, and some that are trained on, from all over the video."""
    from training.corpus import read_corpus

    records = read_corpus(corpus)
    taught = [record for record in records if record.split == "train"]
    yield f"{len(taught)} records to learn from, {len(records) - len(taught)} to examine with"
    for record in taught[:: max(1, len(taught) // _SHOWN)]:
        yield f"{record.question} | {record.answer}"
    yield f"the others stand in {corpus}"


def _unchanged(state: DistillState) -> None:
    """Raise InputError where a file is no longer what was approved; the command line looks too."""
    if not are_whole(state["sums"]):
        raise InputError(
            "A file of this run was changed or removed since: begin a new run of the same video, "
            "which uses again what is still whole."
        )


def _ask(what: Literal["plan", "corpus"], file: str, shows: list[str]) -> None:
    asked = Approval(approve=what, file=file, shows=shows, answer_with="yes, or why not")
    answer = interrupt(asked)
    if answer is not True and str(answer).strip().lower() not in _YES:
        raise InputError(
            f"The {what} was not approved ({answer}): change a setting and begin a new run."
        )
