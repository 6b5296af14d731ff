"""The command lines: `nkr distill`, `ask` etc., the same as `python -m graphs.distill` etc."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from graphs import answering, run_commands
from graphs.arguments import (
    add_device,
    add_mounted,
    amount,
    minutes,
    price,
    rounds,
    seed,
    share,
    whole,
)
from graphs.environment import prepare
from graphs.failures import sentence
from tools.errors import InputError

USER_ERROR = 2
WAITING = 3
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 2 for what the user can mend, 130 after Ctrl-C.

    3 stands for a run that waits for approval.
    """
    parser = argparse.ArgumentParser(prog="nkr", description="Distil a video, and ask it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_distill(commands.add_parser("distill", help="distil a video into an NKR"))
    add_ask(commands.add_parser("ask", help="ask an NKR"))
    talk = commands.add_parser("chat", help="talk about the videos of a folder of NKRs")
    served = commands.add_parser("serve", help="serve them: an OpenAI-compatible API and a page")
    answering.add_chat(talk)
    answering.add_serve(served)
    run_commands.add_trace(commands.add_parser("trace", help="show a run as a tree"))
    run_commands.add_register(
        commands.add_parser("register", help="open the runs in LangGraph Studio")
    )
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    arguments.given = given[1:]
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if (told := sentence(error)) is None:
            raise
        print(f"error: {told}", file=sys.stderr)
        return USER_ERROR


def add_distill(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `distill`."""
    parser.add_argument("--video", required=True, type=Path, help="the video file")
    parser.add_argument("--out", default="runs", help="folder of runs and NKRs (runs)")
    parser.add_argument(
        "--agents",
        default="embedded",
        help="who writes the corpus: embedded, openai:MODEL, or backbone (--backbone itself)",
    )
    parser.add_argument("--base-url", metavar="URL", help="the OpenAI-compatible server of MODEL")
    parser.add_argument("--max-calls", type=whole, help="bound on the calls to MODEL")
    parser.add_argument("--max-cost", type=amount, help="bound on their cost, in US dollars")
    parser.add_argument(
        "--price",
        type=price,
        metavar="READ,WRITTEN",
        help="US dollars for a million tokens, where MODEL's price is not known",
    )
    parser.add_argument(
        "--call-timeout", type=amount, default=120.0, help="seconds that a call may take (120)"
    )
    parser.add_argument(
        "--keyframes",
        choices=("differential", "clustering", "uniform"),
        default="differential",
        help="how the frames are chosen that MODEL sees (differential)",
    )
    parser.add_argument("--image-embedder", help="CLIP or SigLIP model for choosing them")
    parser.add_argument("--whisper", metavar="MODEL", help="Whisper model of the speech")
    parser.add_argument("--align", metavar="MODEL", help="wav2vec2 model that times its words")
    parser.add_argument(
        "--diarize",
        metavar="MODEL",
        nargs="?",
        const="pyannote/speaker-diarization-community-1",
        help="tell speakers apart",
    )
    parser.add_argument("--backbone", default="embedded", help="embedded, a hub name or a folder")
    parser.add_argument("--backbone-name", help="name of a backbone that comes from a folder")
    add_device(parser)
    parser.add_argument("--max-minutes", type=minutes, help="bound on the whole run")
    parser.add_argument("--max-steps", type=whole, help="bound on the steps of each training")
    parser.add_argument(
        "--target-recall", type=share, default=0.97, help="recall that ends the closed loop (0.97)"
    )
    parser.add_argument(
        "--max-rounds", type=rounds, default=2, help="trainings on what was failed, at most (2)"
    )
    parser.add_argument(
        "--loss", choices=("sft", "distill"), default="sft", help="how the adapter learns (sft)"
    )
    parser.add_argument(
        "--max-accuracy-lost",
        type=share,
        default=0.02,
        help="share of the forgetting probe that may be lost (0.02)",
    )
    parser.add_argument(
        "--force", action="store_true", help="publish past the limits of the forgetting probe"
    )
    parser.add_argument("--seed", type=seed, default=0, help="seed of wording and training (0)")
    parser.add_argument(
        "--approve",
        action="append",
        choices=("plan", "corpus"),
        default=[],
        help="stop and show it, once there; --resume approves (may be given twice)",
    )
    parser.add_argument("--resume", action="store_true", help="demand a run to go on from")
    parser.add_argument(
        "--trace", action="store_true", help="keep every agent call, curve and score for MLflow"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    parser.set_defaults(command=distill)


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


def distill(arguments: argparse.Namespace) -> int:
    """Distil a video, showing progress on stderr, and print where the NKR is."""
    prepare(offline=arguments.backbone == "embedded")
    from langgraph.runtime import RunControl

    from graphs import launch
    from graphs.context import Context
    from graphs.progress import Interrupted, Progress
    from graphs.report import summary

    context = Context(
        agents=arguments.agents,
        base_url=arguments.base_url,
        call_timeout=arguments.call_timeout,
        max_calls=arguments.max_calls,
        max_cost=arguments.max_cost,
        price=arguments.price,
        whisper=arguments.whisper,
        align=arguments.align,
        diarize=arguments.diarize,
        keyframes=arguments.keyframes,
        image_embedder=arguments.image_embedder,
        backbone=arguments.backbone,
        backbone_name=arguments.backbone_name,
        device=arguments.device,
        out=arguments.out,
        seed=arguments.seed,
        max_minutes=arguments.max_minutes,
        max_steps=arguments.max_steps,
        approve=tuple(arguments.approve),
        target_recall=arguments.target_recall,
        max_rounds=arguments.max_rounds,
        loss=arguments.loss,
        max_accuracy_lost=arguments.max_accuracy_lost,
        force=arguments.force,
        # Agents with a model wait for its server most of the time.
        max_concurrency=max(
            os.cpu_count() or 1, 8 if arguments.agents.startswith("openai:") else 1
        ),
    )
    control = RunControl()
    with (
        Progress() as progress,
        stop_on_interrupt(control.request_drain, progress.say, arguments.given),
    ):
        try:
            # Libraries that print do not get between the user and the one line of the answer.
            with contextlib.redirect_stdout(sys.stderr):
                report = launch.distill(
                    arguments.video,
                    context,
                    resume=arguments.resume,
                    show=progress.show,
                    control=control,
                    trace=arguments.trace,
                )
        except Interrupted:
            progress.say(f"stopped; to go on: {resume_command(arguments.given)}")
            return INTERRUPTED
        except launch.Waiting as wait:
            for line in wait.asked["shows"]:
                progress.say(line)
            progress.say(
                f"the {wait.asked['approve']} ({wait.asked['file']}) waits for your approval; "
                f"to approve and go on: {resume_command(arguments.given)}"
            )
            return WAITING
        if paid := report.get("spending", {}).get("all"):
            progress.say(
                f"the agents' model: {paid['calls']} calls ({paid['failed']} failed), "
                f"{paid['read']} tokens read and {paid['written']} written, ${paid['cost']:.2f}"
            )
    print(json.dumps(summary(report), ensure_ascii=False) if arguments.json else report["nkr"])
    return 0


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


def ask(arguments: argparse.Namespace) -> int:
    """Ask an NKR, and print what it answers."""
    prepare(offline=False)
    from graphs.ask import Asker, RoutedAsker, read_questions
    from training.prompt import is_text

    questions = read_questions(arguments.questions) if arguments.questions else [arguments.question]
    if not all(question.strip() for question in questions):
        raise InputError("The question is empty: ask something.")
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
        text = json.dumps(reply, ensure_ascii=False) if arguments.json else reply["answer"]
        print(text, flush=True)
    return 0
