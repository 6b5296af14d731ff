"""The planner with a language model: chapters, names, and how the budget of questions is spent."""

from collections.abc import Sequence
from itertools import pairwise

from agents.embedded.planner import EmbeddedPlanner
from agents.language.chat import Chat
from agents.language.lookups import Lookups
from agents.language.notes import notes
from agents.language.prompts import prompt
from agents.language.schemas import Chapter, Outline
from agents.language.watch import Watch
from agents.team import Plan
from tools.evidence import Evidence
from training.facts import Span

SHORTEST, LONGEST = 20.0, 60.0
# Questions a minute, of a chapter as dense as the others, and of one span.
A_MINUTE, FEWEST, MOST = 16, 4, 24
TASK = "names, chapters with their weights, and kinds of questions for the plan of this video"


class LanguagePlanner:
    """Looks at a contact sheet and at what was measured, looks up more, and decides."""

    def __init__(self, chat: Chat, watch: Watch) -> None:
        self._chat = chat
        self._watch = watch

    def plan(self, evidence: Sequence[Evidence], seconds: float) -> Plan:
        """Return the measured facts, spans of 20 to 60 s, and what the model decided on."""
        measured = EmbeddedPlanner().plan(evidence, seconds)
        known, sheet = notes(self._watch.store, None), self._watch.span(None, seconds)
        looked = Lookups(self._watch)
        looked.gather(self._chat, "planner", TASK, known, sheet)
        outline = self._chat.ask(
            "planner",
            prompt("plan"),
            Outline,
            looked.with_pictures(sheet),
            seconds=f"{seconds:.1f}",
            notes=known,
            found=looked.found,
        )
        spans = merged(measured.spans)
        starts = sorted({min(max(0.0, c.start), seconds): c for c in outline.chapters}.items())
        weights = [_weight(starts, span) for span in spans]
        return Plan(
            facts=measured.facts,
            spans=spans,
            chapters=[(start, chapter.title) for start, chapter in starts] or measured.chapters,
            kind_of_video=outline.kind_of_video,
            names=[(name.name, name.what) for name in outline.names],
            question_kinds=list(dict.fromkeys(outline.question_kinds)),
            questions=shared_out(spans, weights),
        )


def merged(shots: Sequence[Span]) -> list[Span]:
    """Return spans over the same time: short shots joined, long ones cut into equal parts."""
    joined: list[Span] = []
    for start, end in shots:
        if joined and joined[-1][1] - joined[-1][0] < SHORTEST and end - joined[-1][0] <= LONGEST:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    spans: list[Span] = []
    for start, end in joined:
        parts = max(1, -(-int(end - start) // int(LONGEST)))
        cuts = [start + (end - start) * part / parts for part in range(parts)] + [end]
        spans += pairwise(cuts)
    return spans


def shared_out(spans: Sequence[Span], weights: Sequence[float]) -> list[int]:
    """Return how many questions each span gets: by its length and its chapter's weight."""
    lengths = [end - start for start, end in spans]
    mean = sum(w * s for w, s in zip(weights, lengths, strict=True)) / max(1e-9, sum(lengths))
    return [
        max(FEWEST, min(MOST, round(A_MINUTE * length / 60 * weight / mean)))
        for weight, length in zip(weights, lengths, strict=True)
    ]


def _weight(chapters: Sequence[tuple[float, Chapter]], span: Span) -> float:
    """Return the weight, 1 to 5, of the chapter in which the middle of a span lies."""
    middle = (span[0] + span[1]) / 2
    begun = [chapter for start, chapter in chapters if start <= middle]
    return float(min(5, max(1, begun[-1].weight))) if begun else 3.0
