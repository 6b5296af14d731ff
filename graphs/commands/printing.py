"""What commands print: text that any terminal takes, until nobody reads any more."""

import io
import json
import sys
from typing import Any


class Unread(Exception):
    """Standard output was closed: whoever read has read enough."""


def prepare_output() -> None:
    """Write out what the terminal's encoding has no letter for."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def tell(text: str) -> None:
    """Print a line at once. Raises `Unread`."""
    try:
        print(text, flush=True)
    except BrokenPipeError as error:
        raise Unread from error


def tell_json(value: Any) -> None:
    """Print a value as JSON on one line, in ASCII where the terminal has no more."""
    encoding = getattr(sys.stdout, "encoding", None) or ""
    tell(json.dumps(value, ensure_ascii=not encoding.lower().startswith("utf")))
