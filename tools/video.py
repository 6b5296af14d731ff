"""Open a video: with decord where it has a wheel, else with PyAV alone."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from functools import lru_cache
from pathlib import Path

from tools.errors import InputError
from tools.video_index import FrameIndex, index_frames
from tools.video_pyav import PyAVReader
from tools.video_reader import Frame, VideoInfo, VideoReader

try:
    from tools.video_decord import DecordReader
except ImportError:  # decord has wheels for Linux on x86-64 only
    HAS_DECORD = False
else:
    HAS_DECORD = True

__all__ = ["Frame", "VideoInfo", "VideoReader", "file_sha256", "open_video"]


def open_video(path: Path) -> VideoReader:
    """Open a video for reading.

    `warnings` of the reader says what is odd about the video and can be lived with. Raises
    InputError, in one sentence, for what is no video or shows nothing.
    """
    info, index, warnings = look_into(path)
    reader = DecordReader(info, index) if HAS_DECORD else PyAVReader(info, index)
    reader.warnings.extend(warnings)
    return reader


def _absolute(path: Path) -> Path:
    """Return a path that no decoder takes for an address: "12:30.mp4" has no protocol."""
    # A user of the name may not be there; then it is a file's.
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    try:
        # The link itself is not followed: what lies beside it belongs to it.
        path = path.parent.resolve() / path.name
        str(path).encode()
        path.stat()
    except UnicodeEncodeError as error:
        told = str(path).encode(errors="replace").decode()
        raise InputError(f"The name of {told} is not valid UTF-8: rename it.") from error
    except (ValueError, RuntimeError) as error:
        # A zero byte, or a loop of links.
        raise InputError(f"{str(path)!r} is no path: check it.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"{path} is too long for a path: check it.") from error
    return path


def look_into(path: Path) -> tuple[VideoInfo, FrameIndex, list[str]]:
    """What a video is, where its frames are, and what is odd about it, before any decoder."""
    path = _absolute(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give one video file.")
    if not path.exists():
        raise InputError(f"{path} does not exist: check the path of the video.")
    if not path.is_file():
        raise InputError(f"{path} is not a file: give one video file.")
    try:
        digest = file_sha256(path)
    except PermissionError as error:
        raise InputError(f"{path} may not be read: change its permissions.") from error
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes): copy or download it again.")
    index = index_frames(path)
    start = float(index.times[0])
    seconds = index.end - start
    info = VideoInfo(
        path=path,
        sha256=digest,
        seconds=seconds,
        width=index.width,
        height=index.height,
        codec=index.codec,
        fps=len(index.times) / seconds,
        start=start,
    )
    warnings = []
    if seconds < 1:
        warnings.append(f"{path.name} is only {seconds:.2f} s long: there is little to learn.")
    if index.promised is not None and seconds < 0.9 * index.promised:
        warnings.append(
            f"the pictures of {path.name} end early: "
            f"{seconds:.1f} of {index.promised:.1f} s are there."
        )
    return info, index, warnings


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    status = path.stat()
    return _file_sha256(path, status.st_size, status.st_mtime_ns)


# As many as a large library has videos: asked in turn, more than are kept are all read again.
@lru_cache(maxsize=4096)
def _file_sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
