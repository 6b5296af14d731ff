"""Make pictures small enough for what is done with them; their shape stays."""

import cv2
import numpy as np


def fitting(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Return a size in pixels whose longer side is at most ``max_side``, never a larger one."""
    if max_side is None or max(width, height) <= max_side:
        return width, height
    scale = max_side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def of_width(image: np.ndarray, width: int) -> np.ndarray:
    """Return a picture [height, width, ...] at another width."""
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
