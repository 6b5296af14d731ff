"""One run at a time in a run's folder: of the command line, of Studio, of any process."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from langgraph.config import get_config

from graphs.distill.runs import RunFolder
from tools.errors import InputError


@dataclass
class _Held:
    """A lock that this process holds: whose thread, by how many of its nodes, and the file."""

    thread: str
    nodes: int
    file: int


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextmanager
def only_run(run: RunFolder, thread: str, *, join: bool = False) -> Iterator[None]:
    """Keep all others from distilling the same video into the same folder meanwhile.

    ``thread`` is the LangGraph thread that does; with ``join`` it may do so already. Raises
    InputError where another one does. The system frees the lock of a killed process.
    """
    _take(run.path, thread, join)
    try:
        yield
    finally:
        _free(run.path)


def alone(node: Callable[..., Any]) -> Callable[..., Any]:
    """Return a node that works in its run's folder while no other thread does.

    The command line keeps others out for the whole run; a server knows no run, only its nodes.
    """

    @wraps(node)
    def guarded(state: dict[str, Any], *given: Any, **named: Any) -> Any:
        thread = str(get_config().get("configurable", {}).get("thread_id", ""))
        with only_run(RunFolder(Path(state["run"])), thread, join=True):
            return node(state, *given, **named)

    return guarded


def _take(path: Path, thread: str, join: bool) -> None:
    path.mkdir(parents=True, exist_ok=True)
    with _guard:
        held = _held.get(path)
        if held and join and held.thread == thread:
            held.nodes += 1
            return
        file = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise InputError(
                f"Another run is distilling this video into {path.parent}: "
                "wait for it or stop it, or name another folder with --out."
            ) from error
        _held[path] = _Held(thread, 1, file)


def _free(path: Path) -> None:
    with _guard:
        held = _held[path]
        held.nodes -= 1
        if not held.nodes:
            os.close(held.file)
            del _held[path]
