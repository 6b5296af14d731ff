"""Memory that a run has freed, given back to the system.

Steps of a training are of many sizes, and the C library keeps what they leave in pieces too small
for the next: gigabytes in an hour.
"""

import ctypes
import ctypes.util
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Give freed memory back, where the C library is one that can (glibc); takes some 10 ms."""
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    name = ctypes.util.find_library("c")
    return getattr(ctypes.CDLL(name), "malloc_trim", None) if name else None
