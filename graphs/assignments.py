"""The branches of writing: what each is sent, and the assignment that an agent understands."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from graphs.context import Context
from graphs.parts import code_hash
from graphs.state import DistillState, WritingWork

if TYPE_CHECKING:
    from agents.team import Assignment, Plan

# What decides on the words of a record, and on its verdict.
WRITERS = (
    "agents",
    "training.wording",
    "training.worlds",
    "training.corpus",
    "training.facts",
    "training.scoring",
)


def writing_works(state: DistillState, context: Context) -> list[WritingWork]:
    """Return one branch for each planned span and a last one for the whole video."""
    path = Path(state["plan"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    planned = [list(span) for span in read_plan(path, digest).spans]
    return [
        WritingWork(
            video_id=state["video"]["id"],
            video_path=state["video_path"],
            run=state["run"],
            index=index,
            span=span,
            total=len(planned) + 1,
            code=code_hash(*WRITERS),
            agents=context.agents,
            seed=context.seed,
            seconds=state["video"]["seconds"],
            plan=str(path),
            plan_hash=digest,
            written=[],
            round=0,
        )
        for index, span in enumerate([*planned, None])
    ]


def part_name(stage: str, work: WritingWork) -> str:
    """Return the name of a branch's part in the state."""
    return f"{stage}/{work['index']:05d}"


def assignment(work: WritingWork) -> "Assignment":
    """Return the assignment of a branch; its seed is its own, whatever runs beside it."""
    from agents.team import Assignment

    mixed = hashlib.sha256(f"{work['seed']}/{work['index']}".encode()).digest()
    return Assignment(
        video_id=work["video_id"],
        span=(work["span"][0], work["span"][1]) if work["span"] else None,
        plan=read_plan(Path(work["plan"]), work["plan_hash"]),
        seconds=work["seconds"],
        seed=int.from_bytes(mixed[:4]),
    )


@lru_cache(maxsize=2)
def read_plan(path: Path, digest: str) -> "Plan":
    """Read a plan; ``digest``, the SHA-256 of its file, tells plans of one path apart."""
    from agents.team import Plan

    return Plan.model_validate_json(path.read_text(encoding="utf-8"))
