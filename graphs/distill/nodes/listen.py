"""Get what is said in the whole video, as sentences with their times."""

import time
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.parts import sums, write_part
from graphs.distill.progress import report, warn
from graphs.distill.runs import RunFolder
from graphs.distill.state import SpanWork

# The share of --max-minutes after which listening stops.
SHARE = 0.4


def listen(state: SpanWork, runtime: Runtime[Context]) -> dict[str, Any]:
    """Write what is said to a part file, and return its path."""
    from tools.evidence import Evidence
    from tools.heard import EnoughHeard
    from tools.speech import sentences, transcribe
    from tools.whisper import WhisperModels

    began = time.time()
    context = runtime.context
    heard = 1.0

    def on_progress(share: float) -> None:
        nonlocal heard
        report(runtime, "listen", share, 1.0)
        # What subtitles say is there at once, however late it is.
        if share < 1 and context.out_of_time(SHARE):
            heard = share
            raise EnoughHeard

    try:
        models = WhisperModels(context.whisper, context.align, context.diarize)
        lines = transcribe(Path(state["video_path"]), models=models, on_progress=on_progress)
    except EnoughHeard:
        lines, heard = [], 0.0
    evidence = [
        Evidence(
            id=f"s-{i}",
            kind="speech",
            start=line.start,
            end=line.end,
            value=line.text,
            source=line.source,
            score=line.score,
            speaker=line.speaker,
        )
        for i, line in enumerate(sentences(lines))
    ]
    part = write_part(RunFolder(Path(state["run"])).evidence / "parts", "listen", state, evidence)
    found = {
        "parts": {"listen": part},
        "sums": sums(part),
        "times": [("listen", began, time.time())],
    }
    if heard == 1:
        return found
    warning = f"recognising speech took too long: the last {1 - heard:.0%} of the sound is left out"
    warn(runtime, warning)
    return {**found, "skipped": ["listen"], "warnings": [warning]}
