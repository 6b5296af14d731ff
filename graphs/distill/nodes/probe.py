"""Open the video and cut it into spans: its shots."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.progress import report, warn
from graphs.distill.resources import backbone_of, team_of
from graphs.distill.runs import RunFolder, lasting_settings, video_id
from graphs.distill.state import DistillInput, Video

# The share of --max-minutes that finding shots may take; after it, spans are cut by the clock.
SHARE = 0.2
EVEN_SECONDS = 10.0


class _TooSlow(Exception):
    pass


def probe(state: DistillInput, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return what the video is and the spans that it is worked on in."""
    from tools.shots import detect_shots
    from tools.video import open_video

    began = time.time()
    context = runtime.context
    path = Path(state["video_path"])
    with open_video(path) as reader:
        info = reader.info
        name = video_id(path, info.sha256)
        run = str(RunFolder(Path(context.out).resolve() / name).path)
        # What cannot be loaded is told now, not after hours of looking.
        team_of({**state, "run": run}, context)
        backbone_of(context)

        def on_progress(share: float) -> None:
            report(runtime, "probe", share * info.seconds, info.seconds)
            if context.out_of_time(SHARE):
                raise _TooSlow

        cut_short: list[str] = []
        try:
            shots = detect_shots(reader, on_progress=on_progress)
            spans = [[round(shot.start, 3), round(shot.end, 3)] for shot in shots]
        except _TooSlow:
            spans = even_spans(info.start, info.end)
            cut_short = ["finding shots took too long: the video was cut into even spans"]
        warnings = [*reader.warnings, *cut_short]
    for warning in warnings:
        warn(runtime, warning)
    video = Video(
        id=name,
        sha256=info.sha256,
        seconds=info.seconds,
        width=info.width,
        height=info.height,
        codec=info.codec,
    )
    return {
        "settings": lasting_settings(context, path),
        "max_minutes": context.max_minutes,
        "video": video,
        "run": run,
        "spans": spans,
        "revisions": 0,
        "skipped": ["probe"] if cut_short else [],
        "warnings": warnings,
        "times": [("probe", began, time.time())],
    }


def even_spans(start: float, end: float) -> list[list[float]]:
    """Cut [start, end) into spans of about `EVEN_SECONDS`."""
    count = max(1, round((end - start) / EVEN_SECONDS))
    edges = [start + (end - start) * i / count for i in range(count + 1)]
    return [[a, b] for a, b in pairwise(edges)]
