"""Make small video files of many kinds, whose every frame tells its own number."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings on stderr otherwise
CLOCK = Fraction(1, 90000)
BITS = 8


@dataclass(frozen=True)
class Clip:
    """A file, the times its frames have, and the size of its upright picture."""

    path: Path
    times: list[float]
    size: tuple[int, int] = (192, 108)
    unreadable: list[int] = field(default_factory=list)


def numbered(number: int, size: tuple[int, int] = (192, 108)) -> np.ndarray:
    """A grey picture with its number in black and white blocks along the upper half."""
    width, height = size
    image = np.full((height, width, 3), 96, np.uint8)
    image[height // 2 :, : width // 2] = (160, 40, 40)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        image[: height // 2, left:right] = 235 if number >> bit & 1 else 20
    return image


def read_number(image: np.ndarray) -> int:
    """The number that `numbered` drew; the picture may be scaled or badly compressed."""
    height, width = image.shape[:2]
    blocks = [image[height // 4, (2 * bit + 1) * width // (2 * BITS)].mean() for bit in range(BITS)]
    return sum(1 << bit for bit, value in enumerate(blocks) if value > 128)


def write_video(
    path: Path,
    images: Sequence[np.ndarray],
    times: Sequence[float],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    key_every: int = 10,
    options: Mapping[str, str] | None = None,
) -> Path:
    """Encode pictures at the given times; `options` go to the encoder."""
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        # Key frames where the test wants them, not where the encoder sees a cut.
        stream: Any = container.add_stream(
            codec, rate=25, options={"sc_threshold": "0", **(options or {})}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.gop_size = key_every
        # AVI and MPEG-4 know nothing but a constant rate.
        clock = Fraction(1, 25) if codec == "mpeg4" else CLOCK
        stream.codec_context.time_base = clock
        for image, time in zip(images, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base, frame.pts = clock, round(time / clock)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path, seconds: float = 1.0, codec: str = "aac") -> Path:
    """A file with a tone and no pictures."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=16000, layout="mono")
        wave = np.sin(np.arange(int(16000 * seconds)) * 440 * 2 * np.pi / 16000)
        frame = av.AudioFrame.from_ndarray(
            (wave * 8000).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 16000, 0
        for part in av.AudioResampler(format="fltp", layout="mono", rate=16000).resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def write_sound_with_cover(path: Path) -> Path:
    """A file with a tone and, as music has it, a picture of its cover."""
    tone = write_sound(path.with_name("tone.mp4"))
    with av.open(str(tone)) as source, av.open(str(path), "w") as container:
        sound = container.add_stream_from_template(source.streams.audio[0])
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 192, 108, "rgb24"
        cover.disposition = Disposition.attached_pic
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = sound
                container.mux(packet)
        frame = av.VideoFrame.from_ndarray(numbered(7), format="rgb24")
        frame.pts = 0
        container.mux(cover.encode(frame))
        container.mux(cover.encode(None))
    return path


def turn(path: Path, degrees: int) -> None:
    """Write a rotation (clockwise, in degrees) into the display matrix of an MP4 file."""
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = np.array([cos, sin, 0, -sin, cos, 0, 0, 0, 0], np.float64) * 65536
    matrix[8] = 1 << 30
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = matrix.astype(">i4").tobytes()
    path.write_bytes(data)


def steady(count: int = 30, fps: float = 25, start: float = 0.0) -> list[float]:
    """Times of a constant rate."""
    return [start + i / fps for i in range(count)]


def _plain(
    name: str, size: tuple[int, int] = (192, 108), times: list[float] | None = None, **how: Any
) -> Callable[[Path], Clip]:
    def make(folder: Path) -> Clip:
        when = times or steady()
        images = [numbered(i, size) for i in range(len(when))]
        return Clip(write_video(folder / name, images, when, **how), when, size)

    return make


def _turned(degrees: int) -> Callable[[Path], Clip]:
    def make(folder: Path) -> Clip:
        when = steady()
        images = [np.rot90(numbered(i), degrees // 90) for i in range(len(when))]
        images = [np.ascontiguousarray(image) for image in images]
        path = write_video(folder / f"turned{degrees}.mp4", images, when)
        turn(path, degrees)
        return Clip(path, when)

    return make


def _damaged(folder: Path) -> Clip:
    """The second of three groups of pictures is overwritten from its middle on."""
    when = steady()
    path = write_video(
        folder / "damaged.mp4", [numbered(i) for i in range(30)], when, options={"bf": "0"}
    )
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.pts is not None]
    data = bytearray(path.read_bytes())
    for packet in packets[15:20]:
        at = packet.pos or 0
        data[at : at + packet.size] = b"\xff" * packet.size
    path.write_bytes(data)
    return Clip(path, when, unreadable=list(range(15, 20)))


VFR = [0.0, 0.04, 0.08, 0.5, 0.6, 2.0, 2.04, 2.08, 2.3, 5.0, 5.04, 6.0]

CLIPS: dict[str, Callable[[Path], Clip]] = {
    "h264": _plain("h264.mp4"),
    "h264 with open groups": _plain(
        "open.mkv", options={"x264-params": "open-gop=1:keyint=10:bframes=3"}
    ),
    "h264 in a transport stream": _plain("h264.ts", times=steady(start=3.0)),
    "hevc": _plain("hevc.mp4", codec="libx265", options={"x265-params": "log-level=none"}),
    "ten bits": _plain("ten.mp4", pixels="yuv420p10le"),
    "vp8": _plain("vp8.webm", codec="libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "10"}),
    "vp9": _plain("vp9.webm", codec="libvpx-vp9", options={"lag-in-frames": "10"}),
    "av1": _plain("av1.mkv", codec="libsvtav1", options={"preset": "12"}),
    "mpeg4 avi": _plain("mpeg4.avi", codec="mpeg4"),
    "mpeg4 avi with b frames": _plain(
        "mpeg4b.avi", codec="mpeg4", options={"bf": "2"}, times=steady(start=0.04)
    ),
    "odd height": _plain("odd_height.mp4", (192, 109), pixels="yuv444p"),
    "odd width": _plain("odd_width.webm", (193, 108), codec="libvpx-vp9"),
    "upright": _plain("upright.mp4", (108, 192)),
    "variable rate": _plain("variable.mp4", times=VFR),
    "variable rate mkv": _plain("variable.mkv", times=VFR),
    "starts late": _plain("late.mp4", times=steady(start=1.5)),
    "one frame": _plain("one.mp4", times=[0.0]),
    "short": _plain("short.mp4", times=steady(10)),
    "turned 90": _turned(90),
    "turned 180": _turned(180),
    "turned 270": _turned(270),
    "damaged": _damaged,
}
