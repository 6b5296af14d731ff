"""The command `serve`."""

import argparse
import contextlib
import ipaddress
import os
import socket
import sys

from graphs.commands.arguments import whole
from graphs.commands.desk import add_library, desk_of
from graphs.commands.exits import INTERRUPTED
from graphs.environment import prepare
from tools.errors import InputError

KEYS = "NKR_API_KEYS"
LOCAL = ("127.0.0.1", "localhost", "::1")
# Seconds after Ctrl-C in which answers that are under way may still be sent.
GRACE = 5


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


def serve(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    prepare(offline=False)
    import uvicorn

    from graphs.server.app import create_app

    if arguments.port > 65535:
        raise InputError(f"There is no port {arguments.port}: choose one up to 65535.")
    if not arguments.host.strip():
        raise InputError(
            "--host is empty: give an address, or leave it out for this machine alone."
        )
    keys = keys_of(arguments)
    desk = desk_of(arguments)
    app = create_app(
        desk,
        keys=keys,
        hosts=hosts_of(arguments),
        at_once=arguments.at_once,
        seconds=arguments.timeout,
    )
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=GRACE
    )
    # From here on clients may come: they wait until the server runs.
    listening = _listening(arguments.host, arguments.port)
    host, port = listening.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
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
        os._exit(INTERRUPTED)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise InputError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another --port or "
            "--host."
        ) from None


def hosts_of(arguments: argparse.Namespace) -> list[str]:
    """Return the names by which it may be called: its own and those allowed; none for any."""
    local = arguments.host.casefold() in LOCAL
    with contextlib.suppress(ValueError):
        local = local or ipaddress.ip_address(arguments.host).is_loopback
    known = local or arguments.allow_host
    return [*LOCAL, arguments.host, *arguments.allow_host] if known else []


def keys_of(arguments: argparse.Namespace) -> list[str]:
    """Return the keys that are given. Raises InputError for empty ones: anybody has those."""
    keys = [key.strip() for key in arguments.key]
    if not all(keys):
        raise InputError("--key is empty: give a key, or leave it out to need none.")
    if (given := os.environ.get(KEYS, "")) and not given.replace(",", " ").strip():
        raise InputError(f"{KEYS} holds no key: set one, or unset it to need none.")
    return [*keys, *filter(None, map(str.strip, given.split(",")))]
