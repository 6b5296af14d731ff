"""The command `chat`."""

import argparse
import contextlib
import sys
from pathlib import Path

from graphs.commands.desk import add_library, desk_of
from graphs.environment import prepare
from tools.errors import InputError


def add_chat(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `chat`."""
    add_library(parser)
    parser.add_argument("--memory", type=Path, help="file of what was said (beside --nkr-dir)")
    parser.add_argument("--thread", default="main", help="name of the conversation (main)")
    parser.set_defaults(command=chat)


def chat(arguments: argparse.Namespace) -> int:
    """Talk until Ctrl-C, Ctrl-D or /quit."""
    prepare(offline=False)
    from rich.console import Console

    from graphs.chatting import Conversation

    if sys.stdin is None or sys.stdout is None:
        raise InputError("chat reads from standard input and writes to standard output: open both.")
    console = Console(highlight=False)
    memory = arguments.memory or Path(arguments.nkr_dir).resolve().parent / "graph.sqlite"
    with contextlib.redirect_stdout(sys.stderr):
        desk = desk_of(arguments)
    conversation = Conversation(desk, memory, arguments.thread, console)
    count = len(desk.library.volumes())
    held = f", {conversation.turns} questions so far" if conversation.turns else ""
    console.print(
        f"[dim]{count} video{'s'[: count != 1]}{held}; /help tells what can be done[/dim]"
    )
    try:
        while True:
            prompt = "[bold]> [/bold]" if sys.stdin.isatty() else ""
            if not conversation.say(console.input(prompt)):
                break
    except (KeyboardInterrupt, EOFError):
        console.print()
    except UnicodeDecodeError as error:
        raise InputError("What is typed or piped in is not UTF-8 text: convert it.") from error
    finally:
        conversation.close()
        desk.close()
    return 0
