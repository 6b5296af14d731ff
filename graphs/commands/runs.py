"""The commands over runs that are there: `trace` and `register`."""

import argparse
import sys
from pathlib import Path

from graphs.environment import prepare
from tools.errors import InputError

_WIDE = 1000
STUDIO = "http://127.0.0.1:2024"


def add_trace(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `trace`."""
    parser.add_argument("run", type=Path, help="the folder of a run: runs/<video-id>")
    parser.add_argument("--record", metavar="ID", help="show where this record came from")
    parser.add_argument("--all", action="store_true", help="show every rejected record")
    parser.set_defaults(command=trace)


def add_register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `register`."""
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of runs (runs)")
    parser.add_argument("--url", default=STUDIO, help=f"LangGraph's server ({STUDIO})")
    parser.set_defaults(command=register)


def trace(arguments: argparse.Namespace) -> int:
    """Print a run, or one record of it, as a tree."""
    prepare(offline=True)
    from rich.console import Console

    from graphs.distill.run_tree import read_run, record_tree, tree

    try:
        run = read_run(arguments.run)
        shown = (
            record_tree(run, arguments.record)
            if arguments.record
            else tree(run, everything=arguments.all)
        )
    except (InputError, PermissionError):
        raise
    except (OSError, ValueError) as error:
        raise InputError(
            f"A file of the run in {arguments.run} is missing or damaged: run distill again, which "
            f"makes it anew ({type(error).__name__})."
        ) from error
    # In a pipe nothing is cut off.
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(shown)
    return 0


def register(arguments: argparse.Namespace) -> int:
    """Register the runs of a folder with a server, and print their threads."""
    prepare(offline=True)
    from graphs.studio_threads import register

    for thread in register(arguments.out, arguments.url):
        print(thread)
    return 0
