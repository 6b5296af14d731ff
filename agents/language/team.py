"""The team of agents with a language model."""

from agents.language.chat import Chat
from agents.language.describer import LanguageDescriber
from agents.language.planner import LanguagePlanner
from agents.language.question_writer import LanguageQuestionWriter
from agents.language.verifier import LanguageVerifier
from agents.language.watch import Watch
from agents.team import Team


def language_team(chat: Chat, watch: Watch) -> Team:
    """Return agents that ask one model about one video."""
    return Team(
        planner=LanguagePlanner(chat, watch),
        describer=LanguageDescriber(chat, watch),
        question_writer=LanguageQuestionWriter(chat, watch),
        verifier=LanguageVerifier(chat, watch),
    )
