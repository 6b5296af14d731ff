"""What a user is told of an error, whoever raised it."""

import errno
import sqlite3
from typing import Any

import pytest
import torch
from langgraph.runtime import ExecutionInfo, Runtime

from agents.language.wire_error import BusyError, LostError, WireError
from graphs.distill import failing
from graphs.distill.failing import ATTEMPTS, OUTAGE, leave_out, told
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


def attempt(number: int) -> Runtime[Any]:
    info = ExecutionInfo(
        checkpoint_id="", checkpoint_ns="", task_id="", thread_id="", node_attempt=number
    )
    return Runtime(execution_info=info)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a server was waited for: nobody really waits."""
    found: list[float] = []
    monkeypatch.setattr(failing, "_wait", lambda seconds, runtime: found.append(seconds))
    return found


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (WireError("busy", retryable=False, wait=86400.0), 1),
        (WireError("busy", wait=9.0), ATTEMPTS),
    ],
)
def test_what_is_not_tried_again_is_not_waited_for(
    error: WireError, number: int, waits: list[float]
) -> None:
    @leave_out("describe")
    def node(state: Any, runtime: Any) -> Any:
        raise error

    left_out = node({"index": 0, "total": 1}, attempt(number))
    assert left_out == {"failed": [("describe/00000", "busy")]}
    with (
        pytest.raises(InputError, match="failed while planning"),
        told(attempt(number), "planning"),
    ):
        raise error
    assert waits == []


@pytest.mark.parametrize("error", [BusyError("the server answered 503"), LostError("refused")])
def test_a_server_that_is_away_is_left_alone_longer_each_time(
    error: WireError, waits: list[float]
) -> None:
    for number in range(1, ATTEMPTS):
        with pytest.raises(WireError), told(attempt(number), "planning"):
            raise error
    assert waits == list(OUTAGE)
    assert sum(OUTAGE) > 30, "longer than a server takes to begin anew"


def test_what_is_tried_again_waits_as_long_as_the_server_asks(waits: list[float]) -> None:
    error = WireError("busy", wait=9.0)
    with pytest.raises(WireError), told(attempt(ATTEMPTS - 1), "planning"):
        raise error
    assert waits == [9.0]
