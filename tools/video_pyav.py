"""Read a video with PyAV, whose wheel brings an FFmpeg that reads nearly everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from tools.errors import blame_the_file
from tools.video_index import FrameIndex, open_container
from tools.video_reader import VideoReader

SEEK_OVER = 12  # frames; decoding fewer than these costs less than a seek
THREADS = 4  # a frame of memory each


class PyAVReader(VideoReader):
    """Decodes forwards from the nearest key frame, and seeks only over what nobody asked for."""

    def _decode(
        self, wanted: Sequence[int], width: int, height: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        with closing(_Pass(self.info.path, self._index)) as decoder:
            runs = deque(self._runs(wanted))
            while runs:
                run = deque(runs.popleft())
                reached = self._index.key_before(run[0])
                try:
                    for position, frame in decoder.frames_from(run[0]):
                        reached = max(reached, position)
                        while run and run[0] < position:
                            run.popleft()
                        if run and run[0] == position:
                            run.popleft()
                            if frame.is_corrupt:
                                self._warn_damaged(float(self._index.times[position]))
                            else:
                                yield position, self._upright(frame, width, height)
                        if not run:
                            break
                except av.FFmpegError as error:
                    blame_the_file(error)
                    # Until the next key frame everything leans on what could not be read.
                    self._warn_damaged(float(self._index.times[reached]))
                    key = self._index.key_after(reached)
                    rest = [position for position in run if key is not None and position >= key]
                    if rest:
                        runs.appendleft(rest)

    def close(self) -> None:
        """Nothing to let go of: each iterator opens the file for itself."""

    def _runs(self, wanted: Sequence[int]) -> Iterator[list[int]]:
        """Split the positions where a key frame lies far enough ahead to be worth a seek."""
        if not wanted:
            return
        run = [wanted[0]]
        for before, position in pairwise(wanted):
            if self._index.key_before(position) - before > SEEK_OVER:
                yield run
                run = []
            run.append(position)
        yield run

    def _upright(self, frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
        turned = self._index.turns % 2
        image = frame.to_ndarray(
            format="rgb24",
            width=height if turned else width,
            height=width if turned else height,
            interpolation=Interpolation.BILINEAR,
        )
        return np.ascontiguousarray(np.rot90(image, self._index.turns))


class _Pass:
    """One way through the file: an open container that goes on from any key frame."""

    def __init__(self, path: Path, index: FrameIndex) -> None:
        self._path = path
        self._index = index
        self._open()

    def _open(self) -> None:
        self._container = open_container(self._path)
        stream = self._container.streams[self._index.stream]
        assert isinstance(stream, VideoStream)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = THREADS
        self._stream = stream
        self._fresh = True

    def close(self) -> None:
        self._container.close()

    def frames_from(self, position: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decode from the key frame before `position` on; raises FFmpegError at damage."""
        key, back = self._index.key_before(position), 1
        while True:
            frames = self._frames_from_key(key)
            first = next(frames, None)
            # Some containers only guess where to seek to: where it went too far, go further back.
            if key == 0 or (first is not None and first[0] <= position):
                break
            key, back = self._index.key_before(max(0, key - back)), back * 2
        if first is not None:
            yield first
            yield from frames

    def _frames_from_key(self, key: int) -> Iterator[tuple[int, av.VideoFrame]]:
        if key > 0:
            self._container.seek(int(self._index.pts[key]), stream=self._stream, backward=True)
        elif not self._fresh:
            # A seek to the start can miss it; opening the file again cannot.
            self.close()
            self._open()
        self._fresh = False
        for frame in self._container.decode(self._stream):
            assert isinstance(frame, av.VideoFrame)
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is not None:
                yield self._index.position_of(pts), frame
