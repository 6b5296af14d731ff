"""What the agents' calls cost, by agent, and the bounds that end them in order."""

import json
import os
import threading
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

from agents.language.wire_error import SpentError

MILLION = 1_000_000
# What a span takes from its description to its verdicts, where nothing fails.
CALLS_A_BRANCH = 8
# The branch of work that calls are made for, as it is named in the run's state.
working_on: ContextVar[str] = ContextVar("working_on", default="")


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens read and written."""

    read: float
    written: float

    def of(self, read: int, written: int) -> float:
        """Return what a call costs, in dollars."""
        return (read * self.read + written * self.written) / MILLION


def listed_price(model: str) -> Price | None:
    """Return the price of a model in `prices.toml`: its own, or that of the longest prefix."""
    table = tomllib.loads(files("agents.language").joinpath("prices.toml").read_text("utf-8"))
    found = max((name for name in table if model.startswith(name)), key=len, default=None)
    return Price(*table[found]) if found else None


@dataclass
class Call:
    """One call as it is noted: who asked, for which branch, how long it took, and its tokens.

    ``failed`` says why it failed.
    """

    agent: str
    seconds: float = 0.0
    read: int = 0
    written: int = 0
    cost: float = 0.0
    failed: str = ""
    branch: str = ""
    estimated: bool = field(default=False)
    """The server told no tokens: they are counted at four letters each."""


class Ledger:
    """Counts the calls of one run in a file of JSON Lines, and stops them at its bounds.

    ``max_calls`` and ``max_cost`` (dollars) bound this process; the file holds those of all runs of
    the video. May be used by several threads.
    """

    def __init__(
        self,
        path: Path,
        *,
        price: Price | None = None,
        max_calls: int | None = None,
        max_cost: float | None = None,
    ) -> None:
        self._path = path
        self._price = price
        self._max_calls, self._max_cost = max_calls, max_cost
        self._lock = threading.Lock()
        self._calls = self._in_flight = 0
        self._cost = self._dearest = 0.0
        self._branches: set[str] = set()
        self._before: tuple[int, float] | None = None

    def begin(self, branch: str) -> None:
        """Count a branch of work that is begun; raises `SpentError` where it would not be ended.

        All branches are described first: else a small bound would be spent on descriptions alone.
        The first branch may always begin.
        """
        with self._lock:
            self._before = self._before or (self._calls, self._cost)
            begun = len(self._branches | {branch})
            calls = self._before[0] + CALLS_A_BRANCH * begun
            cost = self._before[1] + CALLS_A_BRANCH * begun * self._dearest
            if begun > 1 and self._max_calls is not None and calls > self._max_calls:
                raise SpentError(f"--max-calls {self._max_calls} will be reached")
            if begun > 1 and self._max_cost is not None and cost > self._max_cost:
                raise SpentError(f"--max-cost {self._max_cost:g} will be reached")
            self._branches.add(branch)

    @contextmanager
    def call(self, agent: str) -> Iterator[Call]:
        """Count a call, whether it succeeds or not; raises `SpentError` before one too many."""
        with self._lock:
            self._reserve()
        call = Call(agent, branch=working_on.get())
        try:
            yield call
        finally:
            with self._lock:
                self._note(call)

    def _reserve(self) -> None:
        if self._max_calls is not None and self._calls >= self._max_calls:
            raise SpentError(f"--max-calls {self._max_calls} is reached")
        # What is under way will cost about as much as the dearest call so far.
        expected = self._cost + (self._in_flight + 1) * self._dearest
        bound = float("inf") if self._max_cost is None else self._max_cost
        if self._cost >= bound or expected > bound:
            raise SpentError(f"--max-cost {bound:g} is reached")
        self._calls += 1
        self._in_flight += 1

    def _note(self, call: Call) -> None:
        if self._price:
            call.cost = self._price.of(call.read, call.written)
        self._in_flight -= 1
        self._cost += call.cost
        self._dearest = max(self._dearest, call.cost)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            # A run that was killed while it wrote left a line without an end.
            cut = _cut(file)
            file.write(b"\n" * cut + json.dumps(call.__dict__).encode() + b"\n")


def _cut(file: BinaryIO) -> bool:
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def read_calls(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the calls that a file notes."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        try:
            call = json.loads(line)
        except ValueError:
            continue  # The last line of a run that was killed.
        if isinstance(call, dict):
            yield call


def spending(path: Path) -> dict[str, dict[str, Any]]:
    """Return calls, failed ones, tokens, seconds and dollars by agent, and ``all``, of a file."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(
        lambda: {"calls": 0, "failed": 0, "read": 0, "written": 0, "seconds": 0.0, "cost": 0.0}
    )
    for call in read_calls(path):
        for name in (call["agent"], "all"):
            found[name]["calls"] += 1
            found[name]["failed"] += bool(call["failed"])
            for count in ("read", "written", "seconds", "cost"):
                found[name][count] = round(found[name][count] + call[count], 6)
    return dict(sorted(found.items()))
