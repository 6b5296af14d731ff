"""A video reader that several threads may ask for frames."""

import threading
from collections.abc import Callable, Sequence

from tools.video_reader import Frame, VideoReader


class SharedReader:
    """Opens a video when the first frame is asked for, and lets one thread read at a time."""

    def __init__(self, opened: Callable[[], VideoReader]) -> None:
        self._open = opened
        self._reader: VideoReader | None = None
        self._reading = threading.Lock()

    def frames(self, times: Sequence[float]) -> list[Frame]:
        """Return the frames shown at some times, in their order in the video."""
        with self._reading:
            self._reader = self._reader or self._open()
            return list(self._reader.frames(sorted(times)))

    def close(self) -> None:
        """Let go of the decoder; another frame opens it again."""
        with self._reading:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
