"""Looking at the video again, where its file is at hand: what was not written down may be there."""

from math import exp
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from agents.citer import Citer
from agents.embedded.answer_kinds import fits
from graphs.desk import Settings, open_desk
from graphs.distill.nodes.perceive import measure
from graphs.distill.resources import EYES
from graphs.library import Volume
from graphs.routing.cited import citations, cited
from graphs.routing.sheets import sheet
from graphs.routing.state import RouterState
from tools.evidence import Evidence, searchable
from tools.video import file_sha256
from training.scoring import is_refusal

# Spans that are looked at, and parts that each is cut into: what stands for a part of a span may
# have been taken for a flicker the first time.
SPANS, PARTS = 2, 3


def rewatch(state: RouterState, runtime: Runtime[Settings]) -> dict[str, Any]:
    """Measure the likeliest spans again, more closely, and read what was found."""
    desk = open_desk(runtime.context)
    steps, question = state["steps"], state["standalone"]
    for name in state["candidates"]:
        volume = desk.volume(name)
        path = find_video(volume, runtime.context.videos)
        if path is None:
            continue
        found = _seen(volume, path, question, desk.embed(question))
        context = sheet(found, volume.seconds)
        if not context:
            continue
        (answer,) = desk.answerer(None).answer([question], context=context)
        if is_refusal(answer.text) or not fits(question, answer.text):
            continue
        seen = Citer(found, desk.embed_all([searchable(item) for item in found]))
        if proofs := cited(desk, seen, question, answer.text):
            return {
                "nkr": name,
                "answer": answer.text,
                "confidence": exp(answer.whole_logprob),
                "route": "rewatch",
                "supported": True,
                "citations": citations(proofs),
                "steps": [*steps, f"rewatch: {answer.text}"],
            }
    return {
        "steps": [*steps, "rewatch: nothing more was seen"] if runtime.context.videos else steps
    }


def find_video(volume: Volume, folder: str | None) -> Path | None:
    """Return a volume's video in a folder: the file of its name that has its content, or None."""
    path = named_like(volume, folder)
    return path if path and file_sha256(path) == volume.nkr.manifest.video.sha256 else None


def named_like(volume: Volume, folder: str | None) -> Path | None:
    """Return the file in a folder that has the name of a volume's video, unread, or None."""
    path = Path(folder or ".") / Path(volume.nkr.manifest.video.name).name
    return path if folder is not None and path.is_file() else None


def _seen(volume: Volume, path: Path, question: str, vector: Any) -> list[Evidence]:
    """Return what is measured now in the spans nearest to a question, and what was heard there."""
    found: list[Evidence] = []
    shots = volume.citer.nearest(question, vector, SPANS)
    with EYES.borrow(path) as eyes:
        for shot in sorted(shots):
            known = volume.citer.of_shots({shot})
            found += [item for item in known if item.kind == "speech"]
            for span in [(item.start, item.end) for item in known if item.kind == "shot"]:
                length = (span[1] - span[0]) / PARTS
                for part in range(PARTS):
                    start = span[0] + part * length
                    found += measure(eyes, shot * PARTS + part, start, start + length)
    numbered = enumerate(found)
    return [item.model_copy(update={"id": f"rewatch-{number:04d}"}) for number, item in numbered]
