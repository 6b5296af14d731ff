"""The command `distill`."""

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from graphs.commands.arguments import add_device, amount, minutes, price, rounds, seed, share, whole
from graphs.commands.exits import INTERRUPTED, WAITING
from graphs.commands.interrupt import resume_command, stop_on_interrupt
from graphs.commands.printing import tell, tell_json
from graphs.environment import prepare
from tools.errors import InputError

if TYPE_CHECKING:
    from graphs.distill.context import Context


def add_distill(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `distill`."""
    parser.add_argument("--video", required=True, type=Path, help="the video file")
    parser.add_argument("--out", default="runs", help="folder of runs and NKRs (runs)")
    _add_writers(parser.add_argument_group("the agents"))
    _add_senses(parser.add_argument_group("looking and listening"))
    _add_learning(parser.add_argument_group("learning"))
    parser.add_argument("--max-minutes", type=minutes, help="bound on the whole run")
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


def _add_writers(parser: argparse._ActionsContainer) -> None:
    """Add who writes the corpus, and what their calls may cost."""
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


def _add_senses(parser: argparse._ActionsContainer) -> None:
    """Add what the video is looked at and listened to with."""
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


def _add_learning(parser: argparse._ActionsContainer) -> None:
    """Add what learns, how long, and what it may forget."""
    parser.add_argument("--backbone", default="embedded", help="embedded, a hub name or a folder")
    parser.add_argument("--backbone-name", help="name of a backbone that comes from a folder")
    add_device(parser)
    parser.add_argument(
        "--max-steps",
        type=whole,
        help="bound on the steps of each training; exams are not bound",
    )
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


def distill(arguments: argparse.Namespace) -> int:
    """Distil a video, showing progress on stderr, and print where the NKR is."""
    prepare(offline=arguments.backbone == "embedded")
    from langgraph.runtime import RunControl

    from graphs.distill import launch
    from graphs.distill.progress import Interrupted, Progress
    from graphs.distill.report import summary

    context = _context(arguments)
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
    if arguments.json:
        tell_json(summary(report))
    else:
        tell(report["nkr"])
    return 0


def _context(arguments: argparse.Namespace) -> "Context":
    from graphs.distill.context import Context

    if arguments.agents == "embedded":
        for name in ("base_url", "max_calls", "max_cost", "price", "image_embedder"):
            if getattr(arguments, name) is not None:
                raise InputError(
                    f"--{name.replace('_', '-')} is for agents with a language model: name one "
                    "with --agents openai:MODEL, or leave it out."
                )
    return Context(
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
