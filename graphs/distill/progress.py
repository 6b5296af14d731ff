"""Progress: events that nodes write to LangGraph's custom stream, and the bars made of them."""

import sys
import time
from typing import TYPE_CHECKING, Any, TypedDict

from langgraph.runtime import Runtime

if TYPE_CHECKING:
    from rich.progress import Task

STAGES = {
    "probe": "find shots",
    "perceive": "look and read",
    "listen": "listen",
    "plan": "plan",
    "describe": "describe",
    "write_questions": "write questions",
    "verify": "verify",
    "revise": "revise",
    "assemble": "assemble",
    "train": "train",
    "examine": "examine",
    "augment": "write anew",
    "restore": "forgetting probe",
    "check": "check",
    "publish": "publish",
}
_LINE_EVERY = 15.0


class Event(TypedDict, total=False):
    """One event: ``advance`` or ``done`` of ``total`` units of a stage, or a ``warning``.

    Of training also the ``loss`` of the step that is done.
    """

    stage: str
    advance: float
    done: float
    total: float
    loss: float
    warning: str


class Interrupted(Exception):
    """The user asked the run to stop; what is finished is kept."""


def begin(runtime: Runtime[Any]) -> float:
    """Return when a branch begins, or raise `Interrupted` where the user has asked to stop.

    Only before its work: a branch that is done is kept.
    """
    if runtime.drain_requested:
        raise Interrupted
    return time.time()


def advance(runtime: Runtime[Any], stage: str, total: float) -> None:
    """Report that one more of a stage's ``total`` branches is done."""
    runtime.stream_writer(Event(stage=stage, advance=1, total=total))


def report(
    runtime: Runtime[Any], stage: str, done: float, total: float, loss: float | None = None
) -> None:
    """Report how far a stage is. Raises `Interrupted` where the user has asked to stop."""
    # Nodes run in threads that Ctrl-C does not reach: each report is where they can stop.
    begin(runtime)
    event = Event(stage=stage, done=done, total=total)
    if loss is not None:
        event["loss"] = loss
    runtime.stream_writer(event)


def warn(runtime: Runtime[Any], text: str) -> None:
    """Tell the user something at once."""
    runtime.stream_writer(Event(warning=text))


class Progress:
    """Shows events on stderr: one bar a stage on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._bars = Bars(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._tasks: dict[str, Any] = {}
        # When each stage's first event came, and what was done by then: maybe long ago.
        self._begun: dict[str, tuple[float, float]] = {}
        self._told: set[str] = set()
        self._printed = time.monotonic()

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def show(self, event: Event) -> None:
        """Show one event."""
        if "warning" in event:
            # Every branch that meets a damaged place tells of it.
            if event["warning"] not in self._told:
                self._told.add(event["warning"])
                self.say(f"warning: {event['warning']}")
            return
        stage, total = event["stage"], event["total"]
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(STAGES[stage], total=total)
        task = next(task for task in self._bars.tasks if task.id == self._tasks[stage])
        if task.finished and ("advance" in event or event["done"] < total):
            # A stage that comes again, as verifying does after a revision.
            self._bars.reset(task.id)
            self._begun.pop(stage, None)
        was_finished = task.finished
        if "advance" in event:
            self._bars.update(task.id, advance=event["advance"], total=total)
        else:
            self._bars.update(task.id, completed=event["done"], total=total)
        self._begun.setdefault(stage, (time.monotonic(), task.completed))
        if not self._console.is_terminal and not was_finished:
            self._line(stage, task)

    def say(self, text: str) -> None:
        """Print a line on stderr, above the bars."""
        self._console.print(text, markup=False)

    def _line(self, stage: str, task: "Task") -> None:
        now = time.monotonic()
        if not task.finished and now - self._printed < _LINE_EVERY:
            return
        self._printed = now
        begun, first = self._begun[stage]
        seconds = now - begun
        to_do = (task.total or 0) - task.completed
        told = _left(seconds, task.completed - first, to_do)
        left = "" if task.finished else f", {told} left"
        self.say(f"{STAGES[stage]}: {task.completed:.0f}/{task.total:.0f}, {seconds:.0f} s{left}")


def _left(seconds: float, done: float, to_do: float) -> str:
    return f"{seconds * to_do / done:.0f} s" if done else "?"
