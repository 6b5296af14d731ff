"""A video reader that several threads may ask for frames."""

import threading
from collections.abc import Callable, Sequence

import cv2

from tools.picture_size import fitting
from tools.video_reader import Frame, VideoReader


class SharedReader:
    """Opens a video when the first frame is asked for, and lets one thread read at a time."""

    def __init__(self, opened: Callable[[], VideoReader]) -> None:
        self._open = opened
        self._reader: VideoReader | None = None
        self._reading = threading.Lock()

    def frames(self, times: Sequence[float], max_side: int | None = None) -> list[Frame]:
        """Return the frames shown at some times, in their order in the video.

        ``max_side`` bounds the longer side in pixels.
        """
        with self._reading:
            self._reader = self._reader or self._open()
            return [_within(frame, max_side) for frame in self._reader.frames(sorted(times))]

    def close(self) -> None:
        """Let go of the decoder; another frame opens it again."""
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None


def _within(frame: Frame, max_side: int | None) -> Frame:
    height, width = frame.image.shape[:2]
    size = fitting(width, height, max_side)
    if size == (width, height):
        return frame
    return Frame(frame.time, cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA))
