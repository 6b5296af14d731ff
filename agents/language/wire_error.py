"""What can go wrong between an agent and its model, sorted by what can be done about it."""

import re
from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from tools.errors import InputError

# What is sent to servers that ask for no key.
NO_KEY = "none"
# Longer than this a server is not waited for: the span is left for another run.
LONGEST_WAIT, DAY = 60.0, 86_400.0
_TOO_LARGE = re.compile(r"image|too large|too big|context.length|maximum context|payload", re.I)
# A smaller picture would be no better.
_UNREADABLE = re.compile(
    r"(invalid|unsupported|decode|identify|load|corrupt\w*) (the )?image", re.I
)
# Of one request: the next may pass.
_WITHHELD = re.compile(r"flagged|moderation|content.(policy|filter)", re.I)
_UNKNOWN_FORMAT = re.compile(r"response_format|json_schema|json_object|structured", re.I)


class WireError(Exception):
    """A call came to nothing; ``wait`` is how long the server asks to be left alone, in seconds."""

    def __init__(self, reason: str, *, retryable: bool = True, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.wait = wait


class TooLargeError(WireError):
    """The server takes fewer or smaller pictures than it was sent."""


class BusyError(WireError):
    """The server is there, and cannot answer now: too much is asked of it, or it is broken."""


class LostError(WireError):
    """Nothing is there that a connection could be made to, or it broke."""


class UnknownFormatError(WireError):
    """The server does not know this way of asking for JSON."""


class SpentError(Exception):
    """A bound on calls or money is reached: no further call is made."""


def wire_error(error: Exception, model: str) -> WireError | InputError:
    """Return what an exception of a call is: the user's to mend, or the wire's."""
    import openai
    from langchain_core.exceptions import ContextOverflowError

    if isinstance(error, openai.LengthFinishReasonError):
        return WireError("the model's reply was cut off at its length limit")
    if isinstance(error, openai.ContentFilterFinishReasonError):
        return WireError("the server's content filter withheld the reply", retryable=False)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return WireError("the server did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return LostError(f"the connection failed ({_root(error)})")
    if isinstance(error, ContextOverflowError):
        return TooLargeError("the request is longer than the model's context", retryable=False)
    if isinstance(error, openai.APIStatusError):
        return _status_error(error, model)
    # A body that is no chat completion (an HTML page, no choices) fails anywhere in the client.
    return WireError(f"the server's reply is not a chat completion ({type(error).__name__})")


def _status_error(error: Any, model: str) -> WireError | InputError:
    status, told = error.status_code, _told(error)
    if status == 401:
        return InputError("The server refuses the key (401): set OPENAI_API_KEY to a valid one.")
    if status == 403 and _WITHHELD.search(told):
        return WireError(f"the server does not take it (403: {told})", retryable=False)
    if status == 403:
        return InputError(
            f"The server refuses access (403: {told}): see to that, or set OPENAI_API_KEY to a key "
            "that may."
        )
    if status == 413 or (status in (400, 404, 422) and _is_too_large(told)):
        return TooLargeError(f"the server does not take it ({status}: {told})", retryable=False)
    if status == 404 and (error.code == "model_not_found" or "model" in told.lower()):
        return InputError(
            f"The server does not know the model {model!r} ({told}): name another with --agents."
        )
    if status == 404:
        return InputError(
            f"The server has nothing at the address that was asked ({told}): correct --base-url, "
            "which ends in /v1 for most servers."
        )
    if status == 402 or (status == 429 and error.code == "insufficient_quota"):
        return InputError(
            "The account has no money left at the server: add some, and go on with --resume."
        )
    if status in (400, 422) and _UNKNOWN_FORMAT.search(told):
        return UnknownFormatError(f"the server knows no such format ({told})", retryable=False)
    wait = _retry_after(error.response.headers.get("retry-after"))
    if status in (408, 409, 425, 429) or status >= 500:
        late = wait > LONGEST_WAIT
        reason = f"the server answered {status}" + (f", come back in {wait:.0f} s" if late else "")
        return BusyError(reason, retryable=not late, wait=wait)
    return WireError(f"the server answered {status} ({told})", retryable=False)


def _is_too_large(told: str) -> bool:
    return bool(_TOO_LARGE.search(told)) and not _UNREADABLE.search(told)


def _retry_after(header: str | None) -> float:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110).

    A day at most, and none for a header that cannot be read.
    """
    if not header:
        return 0.0
    with suppress(ValueError):
        return min(DAY, max(0.0, float(header)))
    with suppress(ValueError, OverflowError):
        return min(DAY, max(0.0, parsedate_to_datetime(header).timestamp() - time()))
    return 0.0


def _told(error: Any) -> str:
    """Return what the server says, without the key that it may quote."""
    key = error.request.headers.get("authorization", "").removeprefix("Bearer ")
    text = " ".join(str(error.message).split())
    return (text if key in ("", NO_KEY) else text.replace(key, "the key"))[:160]


def _root(error: BaseException) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        # A name may stand for several addresses, none of which could be reached.
        error = cause.exceptions[-1] if isinstance(cause, BaseExceptionGroup) else cause
    return " ".join(str(error).split())[:120] or type(error).__name__
