"""An answer's citations: evidence that has what it says, never times that a model wrote."""

from collections.abc import Sequence

from agents.citer import Cited, Citer
from graphs.desk import Desk
from graphs.routing.state import Citation
from training.scoring import is_refusal


def cited(desk: Desk, citer: Citer, question: str, text: str) -> list[Cited]:
    """Return the evidence of an answer; a refusal has none, nor what asks of unknown names."""
    if is_refusal(text) or citer.is_foreign(question):
        return []
    return citer.cite(question, text, desk.embed(question, text))


def citations(found: Sequence[Cited]) -> list[Citation]:
    """Return evidence as replies tell it."""
    return [
        Citation(
            id=one.evidence.id,
            kind=one.evidence.kind,
            start=one.evidence.start,
            end=one.evidence.end,
            text=one.evidence.value,
        )
        for one in found
    ]
