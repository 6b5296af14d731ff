"""Evidence as text that a backbone reads: one paragraph a shot, as the describer writes them."""

import random
from collections.abc import Sequence

from agents.embedded.planner import EmbeddedPlanner
from tools.evidence import Evidence
from training.wording.describe import describe
from training.wording.timeline import Timeline


def sheet(evidence: Sequence[Evidence], seconds: float) -> str:
    """Return the evidence of some shots in sentences; ``seconds`` is the video's length."""
    plan = EmbeddedPlanner().plan(evidence, seconds)
    timeline = Timeline.of(plan.facts, plan.spans, seconds)
    rng = random.Random("sheet")
    return "\n".join(describe(shot, rng) for shot in timeline.shots if shot.facts)
