"""Count faces, where OpenCV brings a detector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

opencv: Any = cv2  # the type stubs of 5.x leave out what only 4.x has
SIDE = 360  # pixels; the shorter side of the picture that is searched
SMALLEST = 1 / 12  # of the picture's shorter side; smaller finds are mostly wrong
CASCADES = ("haarcascade_frontalface_alt.xml", "haarcascade_frontalface_default.xml")


def can_count_faces() -> bool:
    """Whether this OpenCV brings a face detector: wheels of 4.x do, those of 5.x do not."""
    return hasattr(cv2, "CascadeClassifier") and all(
        Path(opencv.data.haarcascades, name).is_file() for name in CASCADES
    )


def count_faces(images: Sequence[np.ndarray]) -> int | None:
    """The number of frontal faces in most of the pictures of one shot; None if it cannot be told.

    A face counts where two differently trained detectors find it.
    """
    if not can_count_faces() or not images:
        return None
    counts = Counter(_faces_in(image) for image in images)
    most = max(counts.values())
    return min(count for count, times in counts.items() if times == most)


def _faces_in(image: np.ndarray) -> int:
    scale = min(1.0, SIDE / min(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    smallest = round(min(grey.shape) * SMALLEST)
    finds = (
        detector.detectMultiScale(grey, minNeighbors=5, minSize=(smallest, smallest))
        for detector in _detectors()
    )
    # The second detector is asked only where the first one has found something.
    found = list(next(finds))
    again = list(next(finds)) if found else []
    return sum(any(_same(face, other) for other in again) for face in found)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    across = min(ax + aw, bx + bw) - max(ax, bx)
    down = min(ay + ah, by + bh) - max(ay, by)
    return bool(across > 0 and down > 0 and across * down > 0.4 * max(aw * ah, bw * bh))


@cache
def _detectors() -> list[Any]:
    return [
        opencv.CascadeClassifier(str(Path(opencv.data.haarcascades, name))) for name in CASCADES
    ]
