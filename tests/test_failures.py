"""What a user is told of an error, whoever raised it."""

import errno
import sqlite3

import pytest
import torch

from graphs.failures import sentence
from tools.errors import InputError


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        torch.OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total"
        ),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        RuntimeError("can't start new thread"),
    ],
)
def test_too_little_memory_is_told(error: BaseException) -> None:
    told = sentence(error)
    assert told is not None
    assert told.startswith("There is not enough memory:")
    wrapped = RuntimeError("a node failed")
    wrapped.__cause__ = error
    assert sentence(wrapped) == told


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("disk is full")],
)
def test_a_full_disk_is_told(error: BaseException) -> None:
    told = sentence(error)
    assert told is not None
    assert told.startswith("The disk is full")


def test_what_we_say_ourselves_stands_and_our_own_mistakes_are_not_told() -> None:
    assert sentence(InputError("The server says: out of memory.")) == (
        "The server says: out of memory."
    )
    assert sentence(ValueError("x")) is None
