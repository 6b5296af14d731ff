"""The commands over a folder of NKRs: `chat` and `serve`."""

import argparse
import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from graphs.arguments import add_mounted, whole
from graphs.environment import prepare
from tools.errors import InputError

if TYPE_CHECKING:
    from graphs.desk import Desk

KEYS = "NKR_API_KEYS"
LOCAL = ("127.0.0.1", "localhost", "::1")
# Seconds after Ctrl-C in which answers that are under way may still be sent.
GRACE = 5


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


def add_chat(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `chat`."""
    add_library(parser)
    parser.add_argument("--memory", type=Path, help="file of what was said (beside --nkr-dir)")
    parser.add_argument("--thread", default="main", help="name of the conversation (main)")
    parser.set_defaults(command=chat)


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `serve`."""
    add_library(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=whole, default=8000, help="port to listen on (8000)")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help=f"bearer key that is needed; may be given more than once, or as {KEYS}=KEY,KEY",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which clients may call it, beside this machine's own, as behind a proxy",
    )
    parser.add_argument("--at-once", type=whole, default=32, help="requests in work at once (32)")
    parser.add_argument("--timeout", type=whole, default=120, help="seconds for a request (120)")
    parser.set_defaults(command=serve)


def chat(arguments: argparse.Namespace) -> int:
    """Talk until Ctrl-C, Ctrl-D or /quit."""
    prepare(offline=False)
    from rich.console import Console

    from graphs.chatting import Conversation

    console = Console(highlight=False)
    memory = arguments.memory or Path(arguments.nkr_dir).resolve().parent / "graph.sqlite"
    with contextlib.redirect_stdout(sys.stderr):
        desk = _desk(arguments)
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


def serve(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    prepare(offline=False)
    import uvicorn

    from graphs.server.app import create_app

    if arguments.port > 65535:
        raise InputError(f"There is no port {arguments.port}: choose one up to 65535.")
    keys = [*arguments.key, *filter(None, os.environ.get(KEYS, "").split(","))]
    desk = _desk(arguments)
    app = create_app(
        desk,
        keys=keys,
        hosts=_hosts(arguments),
        at_once=arguments.at_once,
        seconds=arguments.timeout,
    )
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=GRACE
    )
    # From here on clients may come: they wait until the server runs.
    listening = _listening(arguments.host, arguments.port)
    host, port = listening.getsockname()[:2]
    models = len(desk.library.volumes())
    print(
        f"{models} models at http://{host}:{port}/v1, the page at http://{host}:{port}/", flush=True
    )
    for problem in desk.library.problems.values():
        print(f"warning: {problem}", file=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
    try:
        app.state.asking.close()
        desk.close()
    except KeyboardInterrupt:
        # Threads that wait for an answer would hold the process until it is there.
        os._exit(130)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise InputError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another --port."
        ) from None


def _hosts(arguments: argparse.Namespace) -> list[str]:
    """Return the names of a server that only this machine can reach; of others none is known."""
    if arguments.host not in LOCAL:
        return []
    return [*LOCAL, *arguments.allow_host]


def _desk(arguments: argparse.Namespace) -> "Desk":
    from graphs.desk import Settings, open_desk

    if (arguments.engine == "openai") != bool(arguments.base_url):
        raise InputError("--engine openai and --base-url URL belong together: give both or none.")
    return open_desk(
        Settings(
            nkr_dir=arguments.nkr_dir,
            videos=arguments.videos,
            backbone=arguments.backbone,
            device=arguments.device,
            slots=arguments.slots,
            engine_url=arguments.base_url,
        )
    )
