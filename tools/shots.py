"""Cut a video into shots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from tools.video_reader import Frame, VideoReader

SIDE = 160  # pixels; enough to see a cut
STEP = 0.1  # seconds between the frames that are compared
LONG = 3600.0  # seconds; of longer videos only the key frames are decoded
SHORTEST = 0.4  # seconds

CUT = {"adaptive_threshold": 3.0, "min_content_val": 15.0}
# Seen between frames a second apart.
DISSOLVE = {"adaptive_threshold": 3.0, "min_content_val": 30.0}

# A slide whose text changes: few pixels, but by much, at once, and between still pictures.
TEXT_LEVELS = 48
TEXT_SHARE = 0.02
TEXT_RATIO = 8.0


@dataclass(frozen=True)
class Shot:
    """A half-open range of seconds on the video's own clock, numbered from 0."""

    index: int
    start: float
    end: float


def detect_shots(
    reader: VideoReader,
    *,
    max_seconds: float = 15.0,
    on_progress: Callable[[float], None] | None = None,
) -> list[Shot]:
    """Find the shots of all that can be read, from the first frame to the end without holes.

    A shot longer than `max_seconds` is split evenly; one shorter than 0.4 s is joined to the one
    after it. `on_progress` gets the share done, from 0 to 1.
    """
    info = reader.info
    last = info.start

    def watched(frames: Iterator[Frame]) -> Iterator[Frame]:
        nonlocal last
        for frame in frames:
            last = frame.time
            if on_progress is not None:
                on_progress((frame.time - info.start) / info.seconds)
            yield frame

    if info.seconds > LONG:
        cuts = _key_frame_cuts(watched(reader.key_frames(SIDE)), info.start)
        end = info.end
    else:
        cuts = _cuts(watched(reader.stream(STEP, SIDE)), info.start)
        end = reader.end_of(last + 0.99 * STEP)
    if on_progress is not None:
        on_progress(1.0)
    return _shots([info.start, *cuts, end], max_seconds)


def _cuts(frames: Iterator[Frame], start: float) -> list[float]:
    """Times of cuts, and of the middles of dissolves."""
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    quick = AdaptiveDetector(min_scene_len=0, **CUT)
    slow = AdaptiveDetector(min_scene_len=0, **DISSOLVE)
    times: list[float] = []
    changed: list[float] = []
    cuts: list[float] = []
    dissolves: list[float] = []
    before: np.ndarray | None = None
    for frame in frames:
        image = _without_dark_noise(frame.image)
        time = FrameTimecode(frame.time - start, 1000.0)
        cuts += [start + found.seconds for found in quick.process_frame(time, image)]
        if not times or int(frame.time - start) > int(times[-1] - start):
            dissolves += [start + found.seconds for found in slow.process_frame(time, image)]
        changed.append(0.0 if before is None else _changed(before, image))
        times.append(frame.time)
        before = image
    cuts += _text_cuts(times, changed)
    cuts += [
        time - 0.5 for time in dissolves if not any(time - 1.2 <= cut <= time + 0.2 for cut in cuts)
    ]
    return sorted(cut for cut in cuts if cut > start)


def _changed(before: np.ndarray, after: np.ndarray) -> float:
    """The share of pixels that change by much."""
    red, green, blue = cv2.split(cv2.absdiff(before, after))
    return float((cv2.max(cv2.max(red, green), blue) > TEXT_LEVELS).mean())


def _text_cuts(times: list[float], changed: list[float]) -> list[float]:
    shares = np.pad(np.array(changed), 2)
    around = (shares[:-4] + shares[1:-3] + shares[3:-1] + shares[4:]) / 4
    at_once = (shares[2:-2] >= TEXT_SHARE) & (shares[2:-2] >= TEXT_RATIO * around)
    return [time for time, cut in zip(times, at_once, strict=True) if cut]


def _key_frame_cuts(frames: Iterator[Frame], start: float) -> list[float]:
    """Times of the key frames that differ from the one before; encoders put them at cuts."""
    from scenedetect import FrameTimecode
    from scenedetect.detectors import ContentDetector

    detector = ContentDetector(min_scene_len=0)
    cuts: list[float] = []
    for frame in frames:
        time = FrameTimecode(frame.time - start, 1000.0)
        found = detector.process_frame(time, _without_dark_noise(frame.image))
        cuts += [start + cut.seconds for cut in found if cut.seconds > 0]
    return cuts


def _without_dark_noise(image: np.ndarray) -> np.ndarray:
    """The picture in OpenCV's order of channels, near-black made one colour.

    The detectors compare hues, which are mere noise in what is nearly black.
    """
    return np.maximum(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), 40)


def _shots(bounds: list[float], max_seconds: float) -> list[Shot]:
    kept = [bounds[0]]
    for bound in bounds[1:-1]:
        if bound - kept[-1] >= SHORTEST and bounds[-1] - bound >= SHORTEST:
            kept.append(bound)
    kept.append(bounds[-1])
    edges = [kept[0]]
    for start, end in pairwise(kept):
        parts = max(1, math.ceil((end - start) / max_seconds - 1e-6))
        edges += [start + (end - start) * part / parts for part in range(1, parts)] + [end]
    return [Shot(i, start, end) for i, (start, end) in enumerate(pairwise(edges))]
