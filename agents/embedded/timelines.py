"""A plan as the timeline that the grammar speaks about."""

from agents.team import Assignment, Plan
from training.facts import Span
from training.wording.timeline import Timeline


class Timelines:
    """Timelines of plans; the last one is kept, since all spans of a video share it."""

    def __init__(self) -> None:
        self._last: tuple[Plan, Timeline] | None = None

    def of(self, assignment: Assignment) -> Timeline:
        """Return the timeline of an assignment's plan."""
        last = self._last
        if last is None or last[0] is not assignment.plan:
            plan = assignment.plan
            last = (plan, Timeline.of(plan.facts, plan.spans, assignment.seconds))
            self._last = last
        return last[1]


def shot_index(timeline: Timeline, span: Span) -> int:
    """Return the number of the shot that has a planned span."""
    return next(i for i, shot in enumerate(timeline.shots) if shot.span == tuple(span))
