"""Failures that the user can mend, told in one sentence each."""

import errno
import sqlite3
from collections.abc import Iterator

from tools.errors import InputError
from training.errors import NKRError

_UNWRITABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite, torch and libraries in Rust tell of a full disk in words only.
_FULL_WORDS = (
    "no space left",
    "disk is full",
    "quota exceeded",
    "file too large",
    "pytorchstreamwriter failed",
)
# Torch, NumPy, OpenCV, ONNX, the loader of shared libraries and threads, each in its own words.
_MEMORY_WORDS = (
    "allocate memory",
    "out of memory",
    "unable to allocate",
    "failed to allocate",
    "insufficient memory",
    "bad_alloc",
    "bad allocation",
    "defaultcpuallocator",
    "failed to map segment",
    "can't start new thread",
)
_NO_MEMORY = (
    "There is not enough memory: close other programs, allow this one more, or take a smaller "
    "backbone, and run the same command again to go on."
)


def sentence(error: BaseException) -> str | None:
    """Return what to tell the user of an error; None where it is ours."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return _full(cause.filename)
        # What we tell ourselves may quote a server, whose quota is not the disk's.
        ours = isinstance(cause, InputError | NKRError)
        if not ours and any(words in str(cause).lower() for words in _FULL_WORDS):
            return _full(None)
        if not ours and _lacks_memory(cause):
            return _NO_MEMORY
    for cause in causes:
        if isinstance(cause, InputError | NKRError):
            return str(cause)
        if isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause):
            return "Another run is writing to the same --out folder: wait for it, or name another."
        if isinstance(cause, sqlite3.DatabaseError):
            return (
                f"graph.sqlite in the --out folder cannot be used ({cause}): free some space, make "
                "it writable, remove it if it is damaged, or name another folder."
            )
        if isinstance(cause, OSError) and cause.errno in _UNWRITABLE and cause.filename:
            reason = (cause.strerror or str(cause)).lower()
            return (
                f"{cause.filename} cannot be written or read ({reason}): "
                "give yourself the right to, or name another folder."
            )
    return None


def _lacks_memory(error: BaseException) -> bool:
    refused = isinstance(error, OSError) and error.errno == errno.ENOMEM
    in_words = any(words in str(error).lower() for words in _MEMORY_WORDS)
    return isinstance(error, MemoryError) or refused or in_words


def _full(where: str | None) -> str:
    place = f" at {where}" if where else ""
    return f"The disk is full{place}: free some space and run the same command again to go on."


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        hidden = None if cause.__suppress_context__ else cause.__context__
        cause = cause.__cause__ or hidden
