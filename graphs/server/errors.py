"""Errors as OpenAI's API tells them: an object with a message, a type and a code."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class RequestError(Exception):
    """A request that cannot be answered: a status, one sentence, and OpenAI's code for it."""

    def __init__(self, status: int, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param


def error_body(status: int, message: str, code: str | None, param: str | None = None) -> Any:
    """Return an error object."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def tell_errors(app: FastAPI, count: Callable[[str], None]) -> None:
    """Let an app tell every error as such an object, and count it by its code."""

    def told(status: int, message: str, code: str, param: str | None = None) -> JSONResponse:
        count(code)
        return JSONResponse(error_body(status, message, code, param), status)

    @app.exception_handler(RequestError)
    async def known(request: Request, error: RequestError) -> JSONResponse:
        answer = told(error.status, error.message, error.code, error.param)
        if error.status == 429:
            answer.headers["Retry-After"] = "1"
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        message, place = _sentence(error.errors()[0])
        return told(400, message, "invalid_value", place)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        asked = f"{request.method} {request.url.path}"
        message, code = {
            404: (f"There is no {asked}: the API's addresses begin with /v1.", "not_found"),
            405: (f"There is no {asked}: another method is needed.", "method_not_allowed"),
        }.get(error.status_code, (f"{error.detail}.", "bad_request"))
        answer = told(error.status_code, message, code)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        return told(500, "The server failed on this request: its log says why.", "failed")


_CONTENT = 'give a text, or a list of parts such as {"type": "text", "text": "Who?"}'


def _sentence(error: Any) -> tuple[str, str | None]:
    """Return what is wrong with a body by its first error, and where."""
    loc = [str(part) for part in error["loc"] if part != "body"]
    if error["type"] == "json_invalid":
        return f"The body is no JSON: it breaks at character {loc[0]}.", None
    if not loc:
        return "The body must be a JSON object, sent as Content-Type: application/json.", None
    if "content" in loc:
        # Beyond it are the names of what it might have been.
        place = ".".join(loc[: loc.index("content") + 1])
        return f"{place}: {_CONTENT}.", place
    place = ".".join(loc)
    return f"{place}: {error['msg']}.", place
