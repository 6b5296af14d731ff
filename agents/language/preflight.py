"""One question before any work: whether the server, the key, the model and pictures work."""

import threading
import time
from typing import TYPE_CHECKING, Any

from PIL import Image

from agents.language.prompts import prompt
from agents.language.schemas import Ready
from agents.language.wire_error import BusyError, LostError, TooLargeError, wire_error
from tools.errors import InputError
from tools.picture_block import picture_blocks

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_openai import ChatOpenAI

    from agents.language.backbone_chat import BackboneChat

# Seconds for the question, and for the list of models where it is not answered by then.
ANSWER, LISTING = 10.0, 3.0
# And between two questions to a server that is busy, where it asks for no longer.
PAUSE = 1.0
SIDE = 64


def sees(model: "BackboneChat") -> None:
    """Raise InputError where a backbone's processor makes nothing of pictures."""
    from agents.language.backbone_chat import encoded

    try:
        encoded(model.backbone, _asked())
    except Exception as error:
        raise InputError(
            f"{model.backbone.name} takes no pictures ({error}): name a backbone that sees, or "
            "other --agents."
        ) from None


def preflight(model: "ChatOpenAI") -> str | None:
    """Return a warning where a model is only slow; None where it answers.

    Raises InputError, in one sentence, within about 15 s, where it cannot be worked with.
    """
    name, server = model.model_name, model.openai_api_base or "the provider's server"
    found = _answered(model)
    if found is None:
        listed = _within(LISTING, lambda: model.root_client.models.list(timeout=LISTING))
        if listed is None or isinstance(listed, Exception):
            raise InputError(
                f"Nothing answers at {server} within {ANSWER:.0f} s: start the server there, or "
                "name another with --base-url."
            )
        return f"{name} takes more than {ANSWER:.0f} s to answer: it may still be loading"
    if not isinstance(found, Exception):
        return None
    error = wire_error(found, name)
    if isinstance(error, InputError):
        raise error
    if isinstance(error, TooLargeError):
        raise InputError(
            f"{name} at {server} takes no pictures ({error}): name a model that sees with --agents."
        )
    if isinstance(error, LostError):
        raise InputError(
            f"Nothing answers at {server} ({error}): start the server there, or name another with "
            "--base-url."
        )
    if isinstance(error, BusyError):
        raise InputError(
            f"{name} at {server} is not ready ({error}): try again later, or see the server's log."
        )
    raise InputError(
        f"{server} cannot be worked with ({error}): see that it runs, and that --base-url and "
        "--agents name what it serves."
    )


def _answered(model: "ChatOpenAI") -> Any:
    """Return a model's reply, or why there is none, or None where it takes too long.

    A server that is busy is asked again, as it would be in a run.
    """
    until = time.monotonic() + ANSWER
    while True:
        found = _within(until - time.monotonic(), lambda: model.invoke(_asked()))
        if not isinstance(found, Exception):
            return found
        error = wire_error(found, model.model_name)
        wait = max(PAUSE, error.wait) if isinstance(error, BusyError) else ANSWER
        if time.monotonic() + wait >= until:
            return found
        time.sleep(wait)


def _asked() -> "list[BaseMessage]":
    picture = Image.new("RGB", (SIDE, SIDE), "red")
    return prompt("ready").messages(Ready, picture_blocks("the picture:", picture), {})


def _within(seconds: float, ask: Any) -> Any:
    """Return what a call returns or raises; None where it does neither in time."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(ask())
        except Exception as error:
            found.append(error)

    # A pool would wait for the thread at the end of the process.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else None
