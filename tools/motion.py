"""What moves in a shot, and which way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

WIDTH = 240  # pixels; frames are brought to this width
NOISE = 0.25  # pixels; flow below this is noise, though all of a picture may creep by less
CREEP = 0.8  # pixels; a part of the picture that moves by less flickers
EDGE = 12.0  # grey levels; flow is only known where the picture has at least such a gradient
STILL = 0.02  # share of the textured picture; less than this that moves is nothing
WHOLE = 0.6  # share; more than this that moves is the camera
RARE = 0.15  # share of the looks; a movement seen less often is none of the shot's
AGREE = 0.6  # share of all movement that must go one way


@dataclass(frozen=True)
class Motion:
    """The way the picture moves ("none", "left", "zoom in", ..., "mixed").

    `share` is how much of the textured picture moves (a small share is a thing before a still
    background, nearly all of it the camera), `speed` is in widths of the frame a second, and
    `agreement` from 0 to 1 tells how much of the movement goes that way.
    """

    direction: str
    share: float
    speed: float
    agreement: float


@dataclass(frozen=True)
class _Step:
    """The movement between two frames, in widths: the shift (right, down), and the growth."""

    share: float
    shift: np.ndarray
    growth: float
    seconds: float


def measure_motion(images: Sequence[np.ndarray], times: Sequence[float]) -> Motion:
    """How the picture moves over frames of one shot, by dense optical flow.

    Directions are those in which things move across the screen; a camera that turns left makes
    them move right. Of unevenly spaced frames only close neighbours are compared; 0.2 s is best,
    from frames far apart nothing is found.
    """
    greys = [_small_grey(image) for image in images]
    flow = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_FAST)
    gaps = np.diff(times)
    # At a low frame rate two looks may see the same frame.
    close = 2 * min(gaps[gaps > 0], default=0.0)
    steps = [
        _step(flow, greys[i], greys[i + 1], gap) for i, gap in enumerate(gaps) if 0 < gap <= close
    ]
    moving = [step for step in steps if step.share >= STILL]
    # Seen once, it may be the end of a dissolve.
    if not moving or len(moving) < max(RARE * len(steps), min(2, len(steps) // 2)):
        return Motion("none", float(np.mean([s.share for s in steps])) if steps else 0.0, 0.0, 1.0)
    weights = np.array([step.share for step in moving])
    shifts = np.array([step.shift for step in moving]) * weights[:, None]
    growths = np.array([step.growth for step in moving]) * weights
    seconds = sum(step.seconds for step in moving)
    speed = float(np.linalg.norm(shifts / weights[:, None], axis=1).sum() / seconds)
    share = float(weights.mean())
    total_shift = float(np.linalg.norm(shifts, axis=1).sum()) + 1e-9
    total_growth = float(np.abs(growths).sum())
    if total_growth > total_shift:
        agreement = abs(float(growths.sum())) / total_growth
        direction = "zoom in" if growths.sum() > 0 else "zoom out"
    else:
        across, down = shifts.sum(0)
        agreement = max(abs(across), abs(down)) / total_shift
        if abs(across) >= abs(down):
            direction = "right" if across > 0 else "left"
        else:
            direction = "down" if down > 0 else "up"
    return Motion(direction if agreement >= AGREE else "mixed", share, speed, float(agreement))


def _small_grey(image: np.ndarray) -> np.ndarray:
    height = max(16, round(image.shape[0] * WIDTH / image.shape[1]))
    small = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3), 0)


def _step(flow: cv2.DISOpticalFlow, before: np.ndarray, after: np.ndarray, seconds: float) -> _Step:
    field = np.asarray(flow.calc(before, after, np.zeros((*before.shape, 2), np.float32)))
    height, width = before.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    gradient = np.hypot(
        cv2.Sobel(before, cv2.CV_32F, 1, 0) / 4, cv2.Sobel(before, cv2.CV_32F, 0, 1) / 4
    )
    textured = gradient > EDGE
    nothing = _Step(0.0, np.zeros(2), 0.0, seconds)
    if textured.sum() < 20:
        return nothing
    # Flow that does not turn one frame into the other (a cut, a fade, a flicker) is no movement.
    target = cv2.remap(after, columns + field[..., 0], rows + field[..., 1], cv2.INTER_LINEAR, None)
    explained = np.abs(target.astype(float) - before) < np.maximum(
        8.0, 0.5 * np.abs(after.astype(float) - before)
    )
    length = np.hypot(field[..., 0], field[..., 1])
    known = textured & explained
    moving = known & (length > NOISE)
    if moving.sum() < WHOLE * textured.sum():
        moving &= length > CREEP
    share = float(moving.sum() / textured.sum())
    if share < STILL:
        return nothing
    # Where the camera moves, what stays in place tells of it as much as the rest.
    moving = known if share >= WHOLE else moving
    places = np.stack([columns[moving], rows[moving]], 1)
    shift, growth = _shift_and_growth(places, field[moving], np.array([width, height]) / 2)
    return _Step(share, shift / width, growth / width, seconds)


def _shift_and_growth(
    places: np.ndarray, flows: np.ndarray, centre: np.ndarray
) -> tuple[np.ndarray, float]:
    """Explain flows at places as a common shift and a growth about the centre, both in pixels.

    The growth is how far it moves the places on average (root mean square). It is 0 where it does
    not explain most of what the common shift leaves, or where the places lie too close together
    to tell.
    """
    middle, common = places.mean(0), np.median(flows, axis=0)
    around, rest = places - middle, flows - common
    spread = float((around**2).sum())
    rate = float((around * rest).sum()) / spread
    explained = rate**2 * spread
    if explained < 0.5 * float((rest**2).sum()) or spread / len(places) < (0.3 * centre[0]) ** 2:
        return common, 0.0
    away = float(np.sqrt(((places - centre) ** 2).sum(1).mean()))
    return common - rate * (middle - centre), rate * away
