"""Look at one span: its colours, brightness, motion and faces, and the text on the screen."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.parts import sums, write_part
from graphs.distill.progress import advance, begin, warn
from graphs.distill.resources import EYES, Eyes
from graphs.distill.runs import RunFolder
from graphs.distill.state import SpanWork

if TYPE_CHECKING:
    from tools.evidence import Evidence, Kind
    from tools.ocr import SeenText, TextLine
    from tools.video import Frame

# The share of --max-minutes after which no further span is looked at.
SHARE = 0.4
# Where in a span its text is read: titles have faded in by the first moment, and not yet out by
# the second. Where these two differ, the text changes and is read in between as well.
READ_AT = (0.4, 0.85)
READ_ALSO_AT = (0.1, 0.25, 0.55, 0.7)


def perceive(state: SpanWork, runtime: Runtime[Context]) -> dict[str, Any]:
    """Write what was measured in a span to a part file, and return its path."""
    began = begin(runtime)
    index = state["index"]
    # The first span is always looked at, so that there is something to learn.
    if index > 0 and runtime.context.out_of_time(SHARE):
        advance(runtime, "perceive", state["total"])
        return {"skipped": [f"perceive/{index:05d}"]}
    with EYES.borrow(Path(state["video_path"])) as eyes:
        evidence = measure(eyes, index, state["span"][0], state["span"][1])
        warnings = list(eyes.reader.warnings)
    for warning in warnings:
        warn(runtime, warning)
    part = write_part(RunFolder(Path(state["run"])).evidence / "parts", "perceive", state, evidence)
    advance(runtime, "perceive", state["total"])
    return {
        "parts": {f"perceive/{index:05d}": part},
        "sums": sums(part),
        "warnings": warnings,
        "times": [(f"perceive/{index:05d}", began, time.time())],
    }


def measure(eyes: Eyes, index: int, start: float, end: float) -> "list[Evidence]":
    """Return the evidence of the span [start, end); ids are provisional."""
    from tools.evidence import Evidence
    from tools.look import look_at, look_times

    frames = list(eyes.reader.frames(look_times(start, end)))
    if not frames:
        return []
    found: list[Evidence] = []

    def add(
        kind: "Kind", value: str, source: str, score: float, since: float, until: float
    ) -> None:
        found.append(
            Evidence(
                id=f"{index}-{len(found)}",
                kind=kind,
                start=since,
                end=until,
                value=value,
                source=source,
                score=round(score, 4),
            )
        )

    add("shot", f"shot {index + 1}", "scenedetect", 1.0, start, end)
    look = look_at(frames)
    looks: dict[Kind, str] = {
        "colour": look.colour,
        "brightness": look.brightness,
        "motion": look.motion,
    }
    if look.faces is not None:
        looks["faces"] = str(look.faces)
    for kind, value in looks.items():
        add(kind, value, "opencv", look.scores.get(kind, 1.0), start, end)
    texts, read_times = read_text(eyes, frames, start, end)
    title = max(texts, key=lambda text: text.height, default=None)
    for text in texts:
        since, until = extend(text, read_times, start, end)
        add("title" if text is title else "text", text.text, "rapidocr", text.score, since, until)
    return found


def read_text(
    eyes: Eyes, frames: "Sequence[Frame]", start: float, end: float
) -> "tuple[list[SeenText], list[float]]":
    """Return the text of a span, and the times at which it was read."""
    from tools.ocr import fold, merge_lines

    seen: dict[int, list[TextLine]] = {}

    def read(shares: Sequence[float]) -> None:
        for share in shares:
            moment = start + share * (end - start)
            nearest = min(range(len(frames)), key=lambda i: abs(frames[i].time - moment))
            if nearest not in seen:
                seen[nearest] = eyes.text.read(frames[nearest].image)

    read(READ_AT)
    if len({tuple(fold(line.text) for line in lines) for lines in seen.values()}) > 1:
        read(READ_ALSO_AT)
    per_frame = [(frames[i].time, seen[i]) for i in sorted(seen)]
    return merge_lines(per_frame), [moment for moment, _ in per_frame]


def extend(
    text: "SeenText", read_times: Sequence[float], start: float, end: float
) -> tuple[float, float]:
    """Return when a text stands: up to half-way to the nearest readings that did not show it."""
    before = [moment for moment in read_times if moment < text.start]
    after = [moment for moment in read_times if moment > text.end]
    since = (before[-1] + text.start) / 2 if before else start
    until = (after[0] + text.end) / 2 if after else end
    return round(since, 3), round(until, 3)
