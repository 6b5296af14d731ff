"""A chat model at a server, each of whose calls ends in time, however slowly the server sends."""

import asyncio
import re
import threading
from functools import cache
from typing import Any, cast

import openai
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

# Of one reply, thoughts included; and what is asked for where the context has no room for so many.
MOST_TOKENS, FEWEST_TOKENS = 16_384, 1024
_NO_ROOM = re.compile(r"max_(completion_)?tokens|completion", re.I)

_starting = threading.Lock()


class ServerChat(ChatOpenAI):
    """A model whose calls end after ``request_timeout`` seconds in all, with TimeoutError.

    The client bounds each read alone: a server that sends a byte now and then would never end one.
    A server that counts a reply's bound as tokens of its context is asked for shorter ones. May be
    used by several threads.
    """

    is_providers: bool
    """Whether it is the provider's own server; others do not all know its name for the bound."""

    def bounded(self, most: int) -> dict[str, Any]:
        """Return how a call is told that its reply has at most so many tokens."""
        bound = {"max_tokens": most}
        # The client writes the newer name in place of this one, but for what it does not look at.
        return bound if self.is_providers else {"extra_body": bound}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **how: Any,
    ) -> ChatResult:
        most = MOST_TOKENS
        while True:
            try:
                return self._in_time(messages, stop, **how, **self.bounded(most))
            except openai.BadRequestError as error:
                if most <= FEWEST_TOKENS or not _NO_ROOM.search(error.message):
                    raise
                most //= 2

    def _in_time(
        self, messages: list[BaseMessage], stop: list[str] | None, **how: Any
    ) -> ChatResult:
        # A task can be cancelled wherever it waits, which closes its connection; a thread cannot.
        seconds = cast(float, self.request_timeout)
        call = asyncio.wait_for(self._agenerate(messages, stop, **how), seconds)
        with _starting:
            loop = _loop()
        return asyncio.run_coroutine_threadsafe(call, loop).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the one loop of all calls: the client's connections live on the loop they began on."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="calls").start()
    return loop
