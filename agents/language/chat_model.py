"""The chat model behind ``--agents openai:MODEL``: any server that speaks OpenAI's protocol."""

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agents.language.wire_error import DAY, NO_KEY
from tools.errors import InputError

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

PREFIX = "openai:"
KEY, SERVER = "OPENAI_API_KEY", "OPENAI_BASE_URL"


def model_name(agents: str) -> str | None:
    """Return the name of the model in ``openai:MODEL``; None for agents of another kind."""
    name = agents.removeprefix(PREFIX)
    return name if agents.startswith(PREFIX) and name else None


def open_chat_model(name: str, *, base_url: str | None, timeout: float, seed: int) -> "ChatOpenAI":
    """Return a model of a server; ``timeout`` in seconds, of a whole call. Nothing is sent yet.

    Raises InputError where the provider's own server would be asked without a key, and for an
    address, a key, a timeout or an environment that no call can be made with.
    """
    from pydantic import SecretStr

    from agents.language.server_chat import ServerChat

    # Clocks and sockets take no number however large.
    if not 0 < timeout <= DAY:
        raise InputError(
            f"--call-timeout {timeout:g} cannot be: give seconds above zero, {DAY:.0f} (a day) at "
            "most."
        )
    base_url = address_of(base_url or os.environ.get(SERVER) or "")
    own = not base_url or _is_providers(base_url)
    key = _key()
    if not key and own:
        raise InputError(f"{KEY} is not set: set it, or name a server with --base-url.")
    try:
        return ServerChat(
            model=name,
            base_url=base_url,
            api_key=SecretStr(key or NO_KEY),
            timeout=timeout,
            # Each call is counted and paid for: none is repeated behind our back.
            max_retries=0,
            temperature=0,
            seed=seed % 2**31,
            is_providers=own,
            use_responses_api=False,
            # Whoever watches the graph's messages (Studio) would else have them streamed.
            disable_streaming=True,
        )
    except Exception as error:
        # Of any kind: the client reads the environment, and loads what that asks for.
        raise InputError(
            f"No client can be made for {base_url or 'the provider'} ({_reason(error)}): check "
            "--base-url, and the proxy and certificate settings of the environment (ALL_PROXY, "
            "HTTPS_PROXY, SSL_CERT_FILE)."
        ) from None


def address_of(given: str) -> str | None:
    """Return a server's address; None for that of the provider, which needs none.

    Raises InputError for what no request can be sent to.
    """
    address = given.strip()
    if address and not address.lower().startswith(("http://", "https://")):
        whole = f"http://{address.rpartition('://')[2]}"
        raise InputError(f"The address {address} has no scheme: give --base-url {whole} instead.")
    try:
        # Reading the port is what finds one that cannot be.
        _ = urlsplit(address).port
    except ValueError as error:
        raise InputError(f"The address {address} is none ({error}): correct --base-url.") from None
    return address or None


def _is_providers(address: str) -> bool:
    return f".{urlsplit(address).hostname}".endswith(".api.openai.com")


def _key() -> str:
    """Return the key; empty where there is none. It is never told, not even a wrong one."""
    key = os.environ.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise InputError(
            f"{KEY} has a character that no key has, like a line break or an accent: set it anew."
        )
    return key


def _reason(error: Exception) -> str:
    from pydantic import ValidationError

    told = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return " ".join(told.split()).split(". ")[0][:120]
