"""Where a video's frames are: read once from its packets, without decoding them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from tools.errors import InputError, blame_the_file

MIN_SIDE = 64  # pixels; nothing can be read off, or seen on, anything smaller
EXACT_SEEK = {"mp4", "matroska", "webm", "avi"}  # containers that list where their frames are
UNREADABLE = "holds no picture that can be decoded: convert it to H.264 in an MP4 file."


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a file's best video stream, in the order in which they are shown.

    `pts` are in units of `time_base`, `times` in seconds of the video's own clock; `keys` are the
    positions of the frames that decoding can start at; `end` is when the last frame ends;
    `turns` counts the quarter turns (counter-clockwise) that bring a decoded picture upright, and
    `width` and `height` are those of the upright picture. `exact_seek` says that the container
    knows where its frames are; `promised` is the length in seconds that its header tells.
    """

    stream: int
    codec: str
    pts: np.ndarray
    times: np.ndarray
    keys: np.ndarray
    end: float
    width: int
    height: int
    turns: int
    exact_seek: bool
    promised: float | None

    def position(self, time: float) -> int:
        """The frame shown at `time`; the first one for any time before it."""
        # Times that went through text or float32 must still find their own frame.
        return max(0, int(np.searchsorted(self.times, time + 1e-4, side="right")) - 1)

    def position_of(self, pts: int) -> int:
        """The position of the last frame at or before `pts`; -1 if there is none."""
        return int(np.searchsorted(self.pts, pts, side="right")) - 1

    def key_before(self, position: int) -> int:
        """The last frame at or before `position` that decoding can start at."""
        return int(self.keys[int(np.searchsorted(self.keys, position, side="right")) - 1])

    def key_after(self, position: int) -> int | None:
        """The first frame after `position` that decoding can start at."""
        after = int(np.searchsorted(self.keys, position, side="right"))
        return int(self.keys[after]) if after < len(self.keys) else None

    def every(self, seconds: float) -> list[int]:
        """The first frame of each slot of `seconds`, counted from the first frame."""
        if seconds <= 0:
            return list(range(len(self.times)))
        slots = np.floor((self.times - self.times[0] + 1e-4) / seconds)
        return [int(p) for p in np.unique(slots, return_index=True)[1]]


def open_container(path: Path) -> InputContainer:
    """Open a media file with FFmpeg; raises InputError when it is none."""
    av.logging.set_level(None)
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.FFmpegError, UnicodeError) as error:
        blame_the_file(error)
        raise InputError(
            f"{path.name} is not a video, or is damaged where a video begins: "
            "give a file that a video player can play."
        ) from error
    # FFmpeg renders plain text as a video of scrolling letters.
    if container.format.name == "tty":
        container.close()
        raise InputError(f"{path.name} is a text file: give a video file.")
    # It renders pictures too, each as a video of one frame.
    if container.format.name == "image2" or container.format.name.endswith("_pipe"):
        container.close()
        raise InputError(f"{path.name} is a picture: give a video file.")
    return container


def best_stream(container: InputContainer, name: str) -> VideoStream:
    """The video stream with the most pixels, the first of equals; cover pictures do not count."""
    streams = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic
    ]
    if not streams and container.streams.video and not container.streams.audio:
        raise InputError(f"{name} {UNREADABLE}")
    if not streams:
        what = "has sound but no pictures" if container.streams.audio else "has no pictures"
        raise InputError(f"{name} {what}: give a file with a video track.")
    return max(streams, key=lambda stream: stream.width * stream.height)


def index_frames(path: Path) -> FrameIndex:
    """Find the frames of a video; raises InputError when there is nothing to see in it."""
    status = path.stat()
    return _index_frames(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _index_frames(path: Path, size: int, changed: int) -> FrameIndex:
    with open_container(path) as container:
        stream = best_stream(container, path.name)
        first = _first_frame(container, stream, path.name)
        turns = round(first.rotation / 90) % 4
        width, height = (first.width, first.height)[:: -1 if turns % 2 else 1]
        if max(width, height) < MIN_SIDE:
            raise InputError(
                f"{path.name} is {width}x{height} pixels, too small to see anything in it: "
                f"give a video of at least {MIN_SIDE} pixels."
            )
        codec = stream.codec_context.codec.canonical_name
        assert stream.time_base is not None
        number, scale = stream.index, float(stream.time_base)
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        exact_seek = bool(EXACT_SEEK & set(container.format.name.split(",")))
        promised = stream.duration * scale if stream.duration else None
        if promised is None and container.duration:
            promised = container.duration / 1e6
    with open_container(path) as container:
        rows = _packets(container, number)
    if not len(rows):
        raise InputError(f"{path.name} has no timestamps: make an MP4 or MKV file of it first.")
    pts, is_key, durations = rows.T
    usual = float(np.median(np.diff(pts))) if len(pts) > 1 else 0.0
    last = float(durations[-1]) or usual
    keys = np.flatnonzero(is_key)
    return FrameIndex(
        stream=number,
        codec=codec,
        pts=pts,
        times=pts * scale,
        keys=keys if len(keys) and keys[0] == 0 else np.concatenate([[0], keys]),
        end=float(pts[-1]) * scale + (last * scale or 1 / rate),
        width=width,
        height=height,
        turns=turns,
        exact_seek=exact_seek,
        promised=promised,
    )


def _first_frame(container: InputContainer, stream: VideoStream, name: str) -> av.VideoFrame:
    """The first picture that decodes, which alone tells the true size and rotation."""
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                return frame
        except av.FFmpegError as error:
            blame_the_file(error)
            continue
    raise InputError(f"{name} {UNREADABLE}")


def _packets(container: InputContainer, number: int) -> np.ndarray:
    """Rows of (pts, is key, duration) in the order shown."""
    rows: dict[int, tuple[int, bool, int]] = {}
    try:
        for packet in container.demux(container.streams[number]):
            pts = packet.pts if packet.pts is not None else packet.dts
            if pts is not None and not packet.is_discard:
                rows[pts] = (pts, packet.is_keyframe, packet.duration or 0)
    except av.FFmpegError as error:
        blame_the_file(error)
        # the file ends early: what came before is all there is
    return np.array(sorted(rows.values()), dtype=np.int64).reshape(-1, 3)
