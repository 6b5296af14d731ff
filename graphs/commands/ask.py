"""The command `ask`."""

import argparse
import contextlib
import sys
from pathlib import Path

from graphs.commands.arguments import add_mounted
from graphs.commands.printing import tell, tell_json
from graphs.environment import prepare
from tools.errors import InputError


def add_ask(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ask`."""
    parser.add_argument("--nkr", required=True, type=Path, help="the folder of an NKR")
    parser.add_argument(
        "--route",
        choices=("weights", "auto"),
        default="auto",
        help="weights: the adapter alone; auto: then the stored evidence (auto)",
    )
    parser.add_argument("--blind", action="store_true", help="ask the backbone without the NKR")
    add_mounted(parser)
    parser.add_argument("--json", action="store_true", help="print JSON objects, one an answer")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--questions", type=Path, help="JSON Lines file with `question`")
    asked.add_argument("question", nargs="?", help="the question")
    parser.set_defaults(command=ask)


def ask(arguments: argparse.Namespace) -> int:
    """Ask an NKR, and print what it answers."""
    prepare(offline=False)
    from graphs.asker import Asker, RoutedAsker, read_questions
    from training.prompt import is_text

    questions = read_questions(arguments.questions) if arguments.questions else [arguments.question]
    if not all(any(map(str.isalnum, question)) for question in questions):
        raise InputError("The question is empty: ask something in words.")
    if not all(map(is_text, questions)):
        raise InputError("The question is not valid UTF-8 text: write it again.")
    with contextlib.redirect_stdout(sys.stderr):
        given = {"backbone": arguments.backbone, "device": arguments.device}
        # Weights and nkr.json alone still answer; where checksums are, the rest must be too.
        whole_nkr = any(
            (arguments.nkr / name).is_file() for name in ("evidence.jsonl", "SHA256SUMS")
        )
        routed = arguments.route == "auto" and not arguments.blind and whole_nkr
        asker: Asker | RoutedAsker = (
            RoutedAsker(arguments.nkr, **given)
            if routed
            else Asker(arguments.nkr, blind=arguments.blind, **given)
        )
    for question in questions:
        reply = asker.ask(question)
        if arguments.json:
            tell_json(reply)
        else:
            tell(reply["answer"])
    return 0
