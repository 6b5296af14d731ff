"""The describer without a language model: measured evidence in natural sentences."""

import random

from agents.embedded.timelines import Timelines, shot_index
from agents.records import RecordMaker
from agents.team import Assignment
from training.corpus import Record
from training.wording.describe import ask_to_describe, describe

STYLES = 2


class EmbeddedDescriber:
    """Writes each shot down in several styles, every fact of it in each."""

    def __init__(self, timelines: Timelines) -> None:
        self._timelines = timelines

    def describe(self, assignment: Assignment) -> list[Record]:
        """Return `STYLES` descriptions of the assignment's span; none for the whole video."""
        if assignment.span is None:
            return []
        timeline = self._timelines.of(assignment)
        shot = timeline.shots[shot_index(timeline, assignment.span)]
        if not shot.facts:
            return []
        rng = random.Random(f"describe-{assignment.seed}")
        maker = RecordMaker(assignment, "d")
        return [
            maker.make(
                kind="description",
                form="statement/shot",
                question=ask_to_describe(shot, rng),
                answer=describe(shot, rng),
                fact_ids=[fact.id for fact in shot.facts],
                spans=[shot.span],
            )
            for _ in range(STYLES)
        ]
