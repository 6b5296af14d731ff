"""A chat model at a server, each of whose calls ends in time, however slowly the server sends."""

import asyncio
import threading
from functools import cache
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

_starting = threading.Lock()


class ServerChat(ChatOpenAI):
    """A model whose calls end after ``request_timeout`` seconds in all, with TimeoutError.

    The client bounds each read alone: a server that sends a byte now and then would never end one.
    May be used by several threads.
    """

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **how: Any,
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
