"""The desk that `chat` and `serve` answer at, by their arguments."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from graphs.commands.arguments import add_mounted, whole
from tools.errors import InputError

if TYPE_CHECKING:
    from graphs.desk import Desk


def add_library(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of both."""
    parser.add_argument("--nkr-dir", default="runs/nkrs", help="folder of NKRs (runs/nkrs)")
    parser.add_argument("--videos", help="folder of the videos, to look at them again")
    add_mounted(parser)
    parser.add_argument(
        "--engine",
        choices=("local", "openai"),
        default="local",
        help="what generates: this process, or a server at --base-url, such as vLLM (local)",
    )
    parser.add_argument("--base-url", metavar="URL", help="the server of --engine openai")
    parser.add_argument("--slots", type=whole, default=8, help="adapters in the model at once (8)")


def desk_of(arguments: argparse.Namespace) -> "Desk":
    """Open the desk over a folder of NKRs. Raises InputError where it cannot be."""
    from agents.language.chat_model import address_of
    from graphs.desk import Settings, open_desk

    if (arguments.engine == "openai") != bool(arguments.base_url):
        raise InputError("--engine openai and --base-url URL belong together: give both or none.")
    videos = arguments.videos and str(Path(arguments.videos).expanduser())
    if videos and not Path(videos).is_dir():
        raise InputError(f"There is no folder {videos}: name that of the videos with --videos.")
    return open_desk(
        Settings(
            nkr_dir=arguments.nkr_dir,
            videos=videos,
            backbone=arguments.backbone,
            device=arguments.device,
            slots=arguments.slots,
            engine_url=arguments.base_url and address_of(arguments.base_url),
        ),
        anew=True,
    )
