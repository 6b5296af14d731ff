"""What every video reader promises, whichever decoder is behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tools.picture_size import fitting
from tools.video_index import FrameIndex


@dataclass(frozen=True)
class VideoInfo:
    """What a video is: its content's hash, its length and shape.

    `width` and `height` are those of the upright picture; `seconds` is the length from the first
    frame's start to the last one's end; `start` is the first frame's time on the video's own
    clock; `fps` is the mean rate.
    """

    path: Path
    sha256: str
    seconds: float
    width: int
    height: int
    codec: str
    fps: float
    start: float

    @property
    def end(self) -> float:
        """The end of the last frame, in seconds of the video's own clock."""
        return self.start + self.seconds


@dataclass(frozen=True)
class Frame:
    """One upright picture: `image` is H x W x 3 uint8 RGB, `time` its true timestamp in seconds."""

    time: float
    image: np.ndarray


class VideoReader(ABC):
    """Frames of one video, by their true timestamps and upright.

    A frame that cannot be decoded is left out, and so are those that depend on it; `warnings`
    then holds a sentence about it and the reader stays usable. Frames are decoded as they are
    asked for, so that memory does not grow with the length of the video. A reader belongs to one
    thread; iterators of one reader may be interleaved.
    """

    def __init__(self, info: VideoInfo, index: FrameIndex) -> None:
        self.info = info
        self.warnings: list[str] = []
        self._index = index

    def frames(self, times: Sequence[float]) -> Iterator[Frame]:
        """Yield the frame shown at each of the ascending `times`, in full size.

        A time before the first frame gives the first frame.
        """
        positions = [self._index.position(time) for time in times]
        wanted = sorted(set(positions))
        if positions != sorted(positions):
            raise ValueError("the times must be ascending")
        repeats = {position: positions.count(position) for position in wanted}
        for position, image in self._decode(wanted, self.info.width, self.info.height):
            for _ in range(repeats[position]):
                yield Frame(float(self._index.times[position]), image)

    def stream(self, every: float, max_side: int | None = None) -> Iterator[Frame]:
        """Yield about one frame each `every` seconds, in order; `every=0` yields all of them.

        `max_side` bounds the longer side in pixels; larger frames are scaled down as they are
        decoded.
        """
        width, height = self._scaled(max_side)
        for position, image in self._decode(self._index.every(every), width, height):
            yield Frame(float(self._index.times[position]), image)

    def key_frames(self, max_side: int | None = None) -> Iterator[Frame]:
        """Yield the frames that stand on their own, in order: quick, but seconds apart."""
        width, height = self._scaled(max_side)
        for position, image in self._decode(self._index.keys.tolist(), width, height):
            yield Frame(float(self._index.times[position]), image)

    def end_of(self, time: float) -> float:
        """When the frame shown at `time` ends, in seconds of the video's own clock."""
        after = self._index.position(time) + 1
        times = self._index.times
        return float(times[after]) if after < len(times) else self._index.end

    @abstractmethod
    def close(self) -> None:
        """Let go of the decoder; the reader is not used after this."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _decode(
        self, wanted: Sequence[int], width: int, height: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (position, upright RGB image) for the ascending positions that can be decoded."""

    def _scaled(self, max_side: int | None) -> tuple[int, int]:
        return fitting(self.info.width, self.info.height, max_side)

    def _warn_damaged(self, time: float) -> None:
        """Say once that the video is damaged; one sentence is enough for any number of places."""
        if not any("is damaged" in warning for warning in self.warnings):
            self.warnings.append(
                f"{self.info.path.name} is damaged {time - self.info.start:.1f} s after its start: "
                "the frames that cannot be read are left out."
            )
