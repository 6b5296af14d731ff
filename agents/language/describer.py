"""The describer with a language model: it sees a span's frames, texts and speech."""

from agents.language.chat import Chat
from agents.language.fence import fenced
from agents.language.notes import notes, sources, told
from agents.language.prompts import prompt
from agents.language.schemas import Description
from agents.language.watch import Watch
from agents.records import RecordMaker
from agents.team import Assignment, Plan
from training.corpus import Record
from training.facts import Span
from training.wording.timeline import clock

ASKED = (
    "Describe what the video shows and says from {start} to {end}.",
    "What happens between {start} and {end}?",
)
ASKED_OF_VIDEO = ("Sum up the whole video.", "What is this video about, from beginning to end?")


class LanguageDescriber:
    """Writes down each span, and sums up the whole video."""

    def __init__(self, chat: Chat, watch: Watch) -> None:
        self._chat = chat
        self._watch = watch

    def describe(self, assignment: Assignment) -> list[Record]:
        """Return the description of the span, or the summary, under two requests."""
        self._chat.begin(str(assignment.span))
        text = self._text(assignment)
        span = assignment.span or (0.0, assignment.seconds)
        maker = RecordMaker(assignment, "d")
        start, end = map(clock, span)
        return [
            maker.make(
                kind="description",
                form="statement/span" if assignment.span else "statement/video",
                question=asked.format(start=start, end=end),
                answer=text,
                fact_ids=[],
                spans=[span],
                sources=sources(self._watch.store, span),
            )
            for asked in (ASKED if assignment.span else ASKED_OF_VIDEO)
        ]

    def _text(self, assignment: Assignment) -> str:
        plan, span, seconds = assignment.plan, assignment.span, assignment.seconds
        values = {
            "seconds": f"{seconds:.1f}",
            "kind": plan.kind_of_video,
            "names": names(plan),
            "notes": notes(self._watch.store, span),
        }
        if span is None:
            values["chapters"] = fenced("CHAPTERS", [f"{clock(s)} {t}" for s, t in plan.chapters])
        else:
            values["span"] = told(span, seconds)
            values["chapter"] = _chapter(plan, span)
            values["before"] = fenced("BEFORE", list(assignment.before))
        asked = prompt("describe" if span else "describe_video")
        topics = [_chapter(plan, span)] if span else []
        pictures = self._watch.span(span, seconds, topics)
        return self._chat.ask("describer", asked, Description, pictures, **values).text


def names(plan: Plan) -> str:
    """Return the names of a plan and what they are, fenced."""
    return fenced("NAMES", [f"{name}: {what}" for name, what in plan.names])


def _chapter(plan: Plan, span: Span) -> str:
    begun = [title for start, title in plan.chapters if start <= (span[0] + span[1]) / 2]
    return begun[-1] if begun else "(none)"
