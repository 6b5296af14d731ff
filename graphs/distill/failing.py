"""Branches whose agents' model fails: tried again, and then left out and listed."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command, RetryPolicy

from agents.language.spending import working_on
from agents.language.wire_error import BusyError, LostError, SpentError, WireError
from graphs.distill.assignments import part_name
from graphs.distill.context import Context
from graphs.distill.progress import advance, begin, warn
from graphs.distill.state import WritingWork
from tools.errors import InputError

ATTEMPTS = 4
# Seconds that a server is left alone before each new attempt, where it does not say how long: one
# that begins anew, or that counts by the minute, is not back at once.
OUTAGE = (3.0, 10.0, 30.0)
_TICK = 0.2

Node = Callable[[WritingWork, Runtime[Context]], Any]


def can_be_tried_again(error: Exception) -> bool:
    """Tell whether what raised an error may succeed the next time."""
    return isinstance(error, WireError) and error.retryable


retried = RetryPolicy(max_attempts=ATTEMPTS, max_interval=30.0, retry_on=can_be_tried_again)


def leave_out(stage: str, then: Callable[[WritingWork], Sequence[Any]] | None = None) -> Any:
    """Decorate a branch's node: what fails to the last is noted, and the others go on.

    So is it, as skipped, where a bound on spending is reached. ``then`` is where the branch goes on
    in spite of it; else it ends.
    """

    def decorate(node: Node) -> Node:
        @functools.wraps(node)
        def guarded(state: WritingWork, runtime: Runtime[Context]) -> Any:
            name = part_name(stage, state)
            working_on.set(name)
            try:
                return node(state, runtime)
            except SpentError as error:
                warn(runtime, f"{error}: what is there by then is used")
                noted: dict[str, Any] = {"skipped": [name]}
            except WireError as error:
                if is_tried_again(error, runtime):
                    raise
                warn(runtime, f"{name} failed ({error}): --resume tries it again")
                noted = {"failed": [(name, str(error))]}
            advance(runtime, stage, state["total"])
            return Command(update=noted, goto=then(state)) if then else noted

        return guarded

    return decorate


@contextmanager
def told(runtime: Runtime[Context], what: str) -> Iterator[None]:
    """Wrap what has no other branches beside it: at the last attempt the user is told.

    Raises InputError then, and where a bound on spending is reached.
    """
    working_on.set(what)
    try:
        yield
    except SpentError as error:
        raise InputError(f"{error} while {what}: allow more, and go on with --resume.") from None
    except WireError as error:
        if is_tried_again(error, runtime):
            raise
        raise InputError(
            f"The agents' model failed while {what} ({error}): see to it, and go on with --resume."
        ) from None


def is_tried_again(error: WireError, runtime: Runtime[Any]) -> bool:
    """Say whether a node that failed is tried again, once the server may be asked again."""
    attempt = runtime.execution_info.node_attempt if runtime.execution_info else ATTEMPTS
    if not can_be_tried_again(error) or attempt >= ATTEMPTS:
        return False
    away = isinstance(error, BusyError | LostError)
    _wait(error.wait or (OUTAGE[attempt - 1] if away else 0.0), runtime)
    return True


def _wait(seconds: float, runtime: Runtime[Any]) -> None:
    """Wait as long as a server asks for, or until the user stops the run."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        begin(runtime)
        time.sleep(min(_TICK, left))
