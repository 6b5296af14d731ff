"""Arguments that several commands take, and the values that they take."""

import argparse
import contextlib


def add_mounted(parser: argparse.ArgumentParser) -> None:
    """Add where the backbone of NKRs that are there is found, and where it is put."""
    parser.add_argument("--backbone", help="where the backbone is, if not where its name says")
    add_device(parser)


def add_device(parser: argparse._ActionsContainer) -> None:
    """Add the choice of the device."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where the backbone is (auto: a GPU that is there)",
    )


def minutes(text: str) -> float:
    """Return a number of minutes above zero."""
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < float("inf"):
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number of minutes above zero")


def amount(text: str) -> float:
    """Return a number above zero."""
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < float("inf"):
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number above zero")


def whole(text: str) -> int:
    """Return a whole number above zero."""
    with contextlib.suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a whole number above zero")


def price(text: str) -> tuple[float, float]:
    """Return two prices, of a million tokens read and written."""
    with contextlib.suppress(ValueError):
        read, written = map(float, text.split(","))
        if 0 <= read < float("inf") and 0 <= written < float("inf"):
            return read, written
    raise argparse.ArgumentTypeError(f"{text} is not two prices like 0.25,2")


def seed(text: str) -> int:
    """Return a seed that every random generator takes: 0 to 2**32 - 1."""
    with contextlib.suppress(ValueError):
        if 0 <= (number := int(text)) < 2**32:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to {2**32 - 1}")


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    with contextlib.suppress(ValueError):
        if 0 <= (number := float(text)) <= 1:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")


def rounds(text: str) -> int:
    """Return how often something may be repeated: 0 to 100."""
    with contextlib.suppress(ValueError):
        if 0 <= (number := int(text)) <= 100:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to 100")
