"""What a request may ask of the server: who may, how much at once, and how large."""

import hmac
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphs.server.errors import error_body

COOKIE = "nkr_key"
_OPEN = ("/", "/healthz")


class Limits:
    """ASGI middleware: bearer keys where there are any, and bodies of at most ``max_body`` bytes.

    Where there are ``hosts``, requests to others are refused: a page from elsewhere whose name was
    bent to this machine's address could read everything. ``refuse`` counts by code. The page sends
    the key as a cookie, since a player cannot send a header.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Sequence[str],
        hosts: Sequence[str],
        max_body: int,
        refuse: Callable[[str], None],
    ) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._hosts = {host.casefold() for host in hosts}
        self._max_body = max_body
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["path"], headers)
        if refusal:
            await refusal(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if len(body) > self._max_body:
                told = f"The body is larger than {self._max_body} bytes."
                await self._told(413, told, "body_too_large")(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, again, send)

    def _refusal(self, path: str, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "").casefold()
        if self._hosts and _without_port(host) not in self._hosts:
            told = f"This server is not called {host!r}: start it with --allow-host to allow that."
            return self._told(421, told, "unknown_host")
        if not self._may(path, headers):
            refusal = self._told(401, "A valid key is needed: send it as a bearer token.", "no_key")
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
        return None

    def _told(self, status: int, message: str, code: str) -> JSONResponse:
        self._refuse(code)
        return JSONResponse(error_body(status, message, code), status)

    def _may(self, path: str, headers: Headers) -> bool:
        if not self._keys or path in _OPEN:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else ""
        given = given or unquote(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        # Each is compared in full, so that the time tells nothing.
        same = [hmac.compare_digest(given.encode(), key) for key in self._keys]
        return any(same)


def _without_port(host: str) -> str:
    """Return the name in a Host header; the colons of an IPv6 address are within brackets."""
    name, _, port = host.rpartition(":")
    return (name if port.isdigit() else host).strip("[]")
