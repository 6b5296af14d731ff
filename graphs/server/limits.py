"""What a request may ask of the server: who may, how much at once, and how large."""

import hmac
from collections.abc import Sequence
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphs.server.errors import error_body

COOKIE = "nkr_key"
_OPEN = ("/", "/healthz")
_ASSETS = "/page/"


class Limits:
    """ASGI middleware: bearer keys where there are any, and bodies of at most ``max_body`` bytes.

    The page sends the key as a cookie, since a player cannot send a header.
    """

    def __init__(self, app: ASGIApp, *, keys: Sequence[str], max_body: int) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._may(scope["path"], headers):
            body = error_body(401, "A valid key is needed: send it as a bearer token.", "no_key")
            refusal = JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})
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
                await JSONResponse(error_body(413, told, "body_too_large"), 413)(
                    scope, receive, send
                )
                return
            if not message.get("more_body"):
                break
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, again, send)

    def _may(self, path: str, headers: Headers) -> bool:
        if not self._keys or path in _OPEN or path.startswith(_ASSETS):
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else ""
        given = given or unquote(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        # Each is compared in full, so that the time tells nothing.
        same = [hmac.compare_digest(given.encode(), key) for key in self._keys]
        return any(same)
