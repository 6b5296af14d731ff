"""What was measured in a span, as lines for a model, and no more of them than fit."""

from collections.abc import Sequence

from agents.language.fence import fenced
from tools.evidence import Evidence, EvidenceStore, Kind
from training.facts import Span
from training.wording.timeline import clock

KINDS: tuple[Kind, ...] = ("title", "text", "speech", "colour", "motion", "faces")
TOLD: tuple[Kind, ...] = ("title", "text", "speech")
LETTERS = 12_000


def notes(store: EvidenceStore, span: Span | None, letters: int = LETTERS) -> str:
    """Return the evidence of a span, or texts and speech of the whole video, fenced.

    Where it has more than so many letters, lines are left out evenly.
    """
    if span is None:
        found = [item for item in store.all() if item.kind in TOLD]
    else:
        found = store.between(*span, kinds=KINDS)
    ordered = sorted(found, key=lambda item: (item.start, KINDS.index(item.kind)))
    return fenced("MEASURED", _fitting([_line(item) for item in ordered], letters))


def sources(store: EvidenceStore, span: Span) -> list[str]:
    """Return the ids of what is written and said in a span, or of its shots where nothing is."""
    found = store.between(*span, kinds=TOLD) or store.between(*span, kinds=["shot"])
    return [item.id for item in found]


def told(span: Span | None, seconds: float) -> str:
    """Return a span in words."""
    start, end = span or (0.0, seconds)
    return f"{clock(start)} to {clock(end)} ({start:.1f} to {end:.1f} s)"


def _line(item: Evidence) -> str:
    who = f" ({item.speaker})" if item.speaker else ""
    return f"[{item.start:.1f}-{item.end:.1f}] {item.kind}{who}: {' '.join(item.value.split())}"


def _fitting(lines: Sequence[str], letters: int) -> list[str]:
    size = sum(map(len, lines)) + len(lines)
    if size <= letters:
        return list(lines)
    kept = max(1, int(len(lines) * letters / size))
    return [lines[place * len(lines) // kept] for place in range(kept)]
