"""The chat model behind ``--agents openai:MODEL``: any server that speaks OpenAI's protocol."""

import os
from typing import TYPE_CHECKING

from tools.errors import InputError

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

PREFIX = "openai:"
KEY, SERVER = "OPENAI_API_KEY", "OPENAI_BASE_URL"
# Of one reply, thoughts included.
MOST_TOKENS = 16_384


def model_name(agents: str) -> str | None:
    """Return the name of the model in ``openai:MODEL``; None for agents of another kind."""
    name = agents.removeprefix(PREFIX)
    return name if agents.startswith(PREFIX) and name else None


def open_chat_model(name: str, *, base_url: str | None, timeout: float, seed: int) -> "ChatOpenAI":
    """Return a model of a server; ``timeout`` in seconds. Nothing is sent yet.

    Raises InputError where the provider's own server would be asked without a key.
    """
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    base_url = base_url or os.environ.get(SERVER)
    key = os.environ.get(KEY)
    if not key and not base_url:
        raise InputError(f"{KEY} is not set: set it, or name a server with --base-url.")
    return ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr(key or "none"),
        timeout=timeout,
        # Each call is counted and paid for: none is repeated behind our back.
        max_retries=0,
        temperature=0,
        seed=seed % 2**31,
        # Other servers do not all know the newer name that the client gives to this bound.
        max_completion_tokens=None if base_url else MOST_TOKENS,
        extra_body={"max_tokens": MOST_TOKENS} if base_url else None,
        use_responses_api=False,
    )
