"""Errors: what a bad video is reported with, and what must not be blamed on the video."""

import errno

_EXHAUSTED = (errno.ENOMEM, errno.EAGAIN)


class InputError(ValueError):
    """A video (or its folder) cannot be used; the message is one sentence for the user."""


def blame_the_file(error: Exception) -> None:
    """Raise MemoryError where FFmpeg lacked memory or threads: the file may be whole."""
    if getattr(error, "errno", None) in _EXHAUSTED:
        raise MemoryError("not enough memory to decode") from error
