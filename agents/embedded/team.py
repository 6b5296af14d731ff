"""The team of agents that needs no language model."""

from agents.embedded.describer import EmbeddedDescriber
from agents.embedded.planner import EmbeddedPlanner
from agents.embedded.question_writer import EmbeddedQuestionWriter
from agents.embedded.timelines import Timelines
from agents.embedded.verifier import EmbeddedVerifier
from agents.team import Team


def embedded_team() -> Team:
    """Return the embedded agents."""
    timelines = Timelines()
    return Team(
        planner=EmbeddedPlanner(),
        describer=EmbeddedDescriber(timelines),
        question_writer=EmbeddedQuestionWriter(timelines),
        verifier=EmbeddedVerifier(),
    )
