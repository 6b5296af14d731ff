"""The sound of a video as speech recognisers want it: 16 kHz, one channel, 16 bits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from tools.errors import blame_the_file
from tools.subtitles import is_english

RATE = 16_000
# Holes shorter than this are rounding in the timestamps.
_HOLE = 0.1


class AudioTrack:
    """The first English sound track of a file, else the first one."""

    def __init__(self, path: Path, number: int, seconds: float, language: str | None) -> None:
        self.path = path
        self.number = number
        self.seconds = seconds
        self.language = language

    def blocks(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yield (time, int16 samples) in order, without holes: what is missing is silence.

        Packets that cannot be decoded are skipped; a file cut short ends the blocks.
        """
        expected: float | None = None
        for time, samples in self._decoded():
            if expected is None:
                expected = time
            if time - expected > _HOLE:
                silence = np.zeros(round((time - expected) * RATE), dtype=np.int16)
                yield expected, silence
                expected += len(silence) / RATE
            yield expected, samples
            expected += len(samples) / RATE

    def _decoded(self) -> Iterator[tuple[float, np.ndarray]]:
        with av.open(str(self.path), metadata_errors="replace") as container:
            track = container.streams[self.number]
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            packets = container.demux(track)
            while True:
                try:
                    frames: list[Any] = next(packets).decode()
                except StopIteration:
                    return
                except av.error.InvalidDataError:
                    continue
                except av.error.FFmpegError as error:
                    blame_the_file(error)
                    return
                for frame in frames:
                    time = frame.time
                    for part in resampler.resample(frame):
                        yield time, part.to_ndarray()[0]


def open_audio(path: Path) -> AudioTrack | None:
    """Return the sound track of a file, or None where it has none."""
    with av.open(str(path), metadata_errors="replace") as container:
        tracks = sorted(container.streams.audio, key=lambda track: not is_english(track.language))
        if not tracks:
            return None
        track = tracks[0]
        if track.duration and track.time_base:
            seconds = float(track.duration * track.time_base)
        else:
            seconds = (container.duration or 0) / av.time_base
        return AudioTrack(path, track.index, seconds, track.language)
