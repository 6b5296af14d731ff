"""The branches of writing: what each is sent, and the assignment that an agent understands."""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from graphs.distill.context import Context
from graphs.distill.parts import code_hash, read_part
from graphs.distill.resources import BACKBONE
from graphs.distill.state import DistillState, WritingWork

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
# And, for agents that see frames, on which.
CHOOSERS = ("tools.keyframes", "tools.relevance", "tools.frame_features")


def writing_works(state: DistillState, context: Context) -> list[WritingWork]:
    """Return one branch for each planned span and a last one for the whole video."""
    eyes = []
    if context.agents != "embedded":
        eyes = [code_hash(*CHOOSERS), context.keyframes, str(context.image_embedder)]
    if context.agents == BACKBONE:
        eyes += [context.backbone, str(context.backbone_name)]
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
            code=" ".join([code_hash(*WRITERS), *eyes]),
            agents=context.agents,
            seed=context.seed,
            seconds=state["video"]["seconds"],
            plan=str(path),
            plan_hash=digest,
            written=[],
            before=[],
            round=0,
        )
        for index, span in enumerate([*planned, None])
    ]


def in_chapters(works: Sequence[WritingWork]) -> list[list[WritingWork]]:
    """Return the branches that may begin at once, each with those that follow it one by one.

    Embedded agents need not know what was described before; others go through each chapter in turn.
    """
    chains: list[list[WritingWork]] = []
    for work in works:
        if chains and _goes_on(chains[-1][-1], work):
            chains[-1].append(work)
        else:
            chains.append([work])
    return chains


def following(work: WritingWork) -> WritingWork | None:
    """Return the branch that is described after this one; None at the end of its chapter."""
    spans = read_plan(Path(work["plan"]), work["plan_hash"]).spans
    index = work["index"] + 1
    if work["span"] is None or index >= len(spans):
        return None
    found: WritingWork = {**work, "index": index, "span": list(spans[index]), "written": []}
    return found if _goes_on(work, found) else None


def _goes_on(work: WritingWork, later: WritingWork) -> bool:
    if work["agents"] == "embedded" or work["span"] is None or later["span"] is None:
        return False
    begins = [start for start, _ in read_plan(Path(work["plan"]), work["plan_hash"]).chapters]
    middles = (sum(work["span"]) / 2, sum(later["span"]) / 2)
    first, second = (bisect_right(begins, middle) for middle in middles)
    return first == second


def part_name(stage: str, work: WritingWork) -> str:
    """Return the name of a branch's part in the state."""
    return f"{stage}/{work['index']:05d}"


def assignment(work: WritingWork) -> "Assignment":
    """Return the assignment of a branch; its seed is its own, whatever runs beside it."""
    from agents.team import Assignment

    language = work["agents"] != "embedded"
    mixed = hashlib.sha256(f"{work['seed']}/{work['index']}".encode()).digest()
    return Assignment(
        video_id=work["video_id"],
        span=(work["span"][0], work["span"][1]) if work["span"] else None,
        plan=read_plan(Path(work["plan"]), work["plan_hash"]),
        seconds=work["seconds"],
        seed=int.from_bytes(mixed[:4]),
        description=_description(work["written"]) if language else "",
        before=[_description([path]) for path in work["before"]],
    )


def _description(paths: Sequence[str]) -> str:
    """Return the description in parts that a branch has written; empty where it has none yet."""
    from training.corpus import Record

    records = (record for path in paths for record in read_part(path, Record))
    return next((record.answer for record in records if record.kind == "description"), "")


@lru_cache(maxsize=2)
def read_plan(path: Path, digest: str) -> "Plan":
    """Read a plan; ``digest``, the SHA-256 of its file, tells plans of one path apart."""
    from agents.team import Plan

    return Plan.model_validate_json(path.read_text(encoding="utf-8"))
