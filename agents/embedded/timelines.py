"""A plan as the timeline that the grammar speaks about."""

from agents.team import Assignment, Plan
from training.facts import Span
from training.wording.timeline import Timeline


class Timelines:
    """Timelines of plans; the last one is kept, since all spans of a video share it."""

    def __init__(self) -> None:
        self._last: tuple[Plan, Timeline, Timeline] | None = None

    def of(self, assignment: Assignment) -> Timeline:
        """Return the timeline of what an assignment's plan asks about."""
        return self._both(assignment)[1]

    def knowing(self, assignment: Assignment) -> Timeline:
        """Return the same with all that is known beside it."""
        return self._both(assignment)[2]

    def _both(self, assignment: Assignment) -> tuple[Plan, Timeline, Timeline]:
        last = self._last
        if last is None or last[0] is not assignment.plan:
            plan = assignment.plan
            asked = Timeline.of(plan.facts, plan.spans, assignment.seconds)
            self._last = last = (plan, asked, asked.knowing(plan.unasked))
        return last


def shot_index(timeline: Timeline, span: Span) -> int:
    """Return the number of the shot that has a planned span."""
    return next(i for i, shot in enumerate(timeline.shots) if shot.span == tuple(span))
