"""Ctrl-C in a run, and the commands that go on with it."""

import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from graphs.commands.exits import INTERRUPTED


@contextlib.contextmanager
def stop_on_interrupt(
    stop: Callable[[str], None], say: Callable[[str], None], given: Sequence[str]
) -> Iterator[None]:
    """Let the first Ctrl-C stop a run at its next span or step, and the second one at once."""

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if signal.getsignal(signal.SIGINT) is on_interrupt:
            signal.signal(signal.SIGINT, at_once)
            say("stopping after the span or step at hand (Ctrl-C again: at once)")
            stop("Ctrl-C")

    def at_once(number: int, frame: FrameType | None) -> None:
        # The bars hide the cursor; and before the first result there is nothing to demand.
        shown = "\x1b[?25h" if sys.stderr.isatty() else ""
        command = again_command(given)
        print(f"{shown}stopped; to go on: {command}", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def again_command(given: Sequence[str]) -> str:
    """Return the command that goes on with a run of the given arguments, or begins it."""
    kept = [argument for argument in given if argument != "--resume"]
    return shlex.join([sys.executable, "-m", "graphs.distill", *kept])


def resume_command(given: Sequence[str]) -> str:
    """Return the command that goes on with a run that was begun with the given arguments."""
    return f"{again_command(given)} --resume"
