"""What a shot looks like: its colours, its brightness, what moves, and how many faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.colour import COLOURS, colour_shares, lightness
from tools.faces import count_faces
from tools.motion import measure_motion
from tools.picture_size import of_width
from tools.video_reader import Frame

SIDE = 160  # pixels; colours are counted on pictures of this width
DARK, BRIGHT = 0.38, 0.68  # mean perceived lightness
SECOND = 0.15  # share of the picture that a second colour must cover
PAIR = 0.2  # seconds between two frames that motion is read from
PAIRS = 12  # at most, in one shot


@dataclass(frozen=True)
class Look:
    """The look of a shot in words.

    `colour` is one of `tools.colour.COLOURS`; `brightness` is dark, medium or bright; `motion` is
    none, left, right, up, down, zoom in, zoom out or mixed; `faces` is None where no detector is
    installed. `scores` holds what each word rests on, from 0 to 1: `colour` and `second_colour`
    (share of the picture), `brightness` (lightness), `motion` (how much of the movement agrees),
    `moving` (share of the picture that moves) and `speed` (widths a second).
    """

    colour: str
    second_colour: str | None
    brightness: str
    motion: str
    faces: int | None
    scores: dict[str, float]


def look_times(start: float, end: float) -> list[float]:
    """Times at which to take frames of a shot for `look_at`: pairs, spread over the shot."""
    length = end - start
    pair = min(PAIR, length / 3)
    pairs = max(1, min(PAIRS, int(length / (3 * pair)))) if pair > 0 else 1
    times: list[float] = []
    for number in range(pairs):
        at = start + (number + 0.5) * length / pairs - pair / 2
        times += [at, at + pair]
    return times


def look_at(frames: Sequence[Frame]) -> Look:
    """Describe frames of one shot, best those at `look_times`."""
    if not frames:
        raise ValueError("a look needs at least one frame")
    small = [of_width(frame.image, SIDE) for frame in frames]
    shares = np.mean([colour_shares(image) for image in small], axis=0)
    first, second = (int(place) for place in np.argsort(-shares, kind="stable")[:2])
    light = float(np.mean([lightness(image).mean() for image in small]))
    motion = measure_motion([frame.image for frame in frames], [frame.time for frame in frames])
    return Look(
        colour=COLOURS[first],
        second_colour=COLOURS[second] if shares[second] >= SECOND else None,
        brightness="dark" if light < DARK else "bright" if light > BRIGHT else "medium",
        motion=motion.direction,
        faces=count_faces([frame.image for frame in frames[:: max(1, len(frames) // 4)]]),
        scores={
            "colour": float(shares[first]),
            "second_colour": float(shares[second]),
            "brightness": light,
            "motion": motion.agreement,
            "moving": motion.share,
            "speed": motion.speed,
        },
    )
