"""What a recogniser tells of its work, and how it is ended early."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Is given the share that is done, from 0 to 1."""


class EnoughHeard(Exception):
    """Raised by whoever is shown the progress to end recognition early."""
