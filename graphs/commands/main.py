"""The command line: `nkr distill`, `ask` etc., the same as `python -m graphs.distill` etc."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from graphs.commands.ask import add_ask
from graphs.commands.chat import add_chat
from graphs.commands.distill import add_distill
from graphs.commands.exits import INTERRUPTED, UNREAD, USER_ERROR
from graphs.commands.printing import Unread, prepare_output
from graphs.commands.runs import add_register, add_trace
from graphs.commands.serve import add_serve
from graphs.failures import sentence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 2 for what the user can mend, 130 after Ctrl-C.

    3 stands for a run that waits for approval, 1 for output that nobody reads to its end.
    """
    parser = argparse.ArgumentParser(prog="nkr", description="Distil a video, and ask it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_distill(commands.add_parser("distill", help="distil a video into an NKR"))
    add_ask(commands.add_parser("ask", help="ask an NKR"))
    talk = commands.add_parser("chat", help="talk about the videos of a folder of NKRs")
    served = commands.add_parser("serve", help="serve them: an OpenAI-compatible API and a page")
    add_chat(talk)
    add_serve(served)
    add_trace(commands.add_parser("trace", help="show a run as a tree"))
    add_register(commands.add_parser("register", help="open the runs in LangGraph Studio"))
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    arguments.given = given[1:]
    command: Callable[[argparse.Namespace], int] = arguments.command
    prepare_output()
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Unread:
        # What is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except Exception as error:
        if (told := sentence(error)) is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        return USER_ERROR
