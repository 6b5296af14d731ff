"""Questions of the server on their way through the router: counted, bounded, timed."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import cast

from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agents.embedded.small_talk import small_talk
from graphs.desk import Desk
from graphs.library import AUTO
from graphs.router import graph
from graphs.routing.cited import cited
from graphs.routing.nodes import likeliest, standing_alone
from graphs.routing.state import Asked, Replied, Turn
from graphs.server.completions import ChatRequest
from graphs.server.errors import RequestError
from tools.errors import InputError
from training.errors import EngineError, NKRError

# So far back the video of a conversation is looked for; more would let one request keep a thread.
TURNS = 32


class Asking:
    """Runs the router for at most ``at_once`` requests; as many again as ``waiting`` may queue."""

    def __init__(self, desk: Desk, *, at_once: int, waiting: int, seconds: float) -> None:
        self._desk = desk
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="ask")
        self._most, self._seconds = at_once + waiting, seconds
        self._running = 0
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "nkr_answers", "Answers by the way they were found.", ["route"], registry=self.registry
        )
        self._refused = Counter(
            "nkr_refused_requests", "Requests without an answer.", ["code"], registry=self.registry
        )
        self._latency = Histogram(
            "nkr_answer_seconds", "Seconds from question to answer.", registry=self.registry
        )
        open_now = Gauge("nkr_open_requests", "Requests in work.", registry=self.registry)
        open_now.set_function(lambda: self._running)
        known = Gauge("nkr_models", "NKRs that can be asked.", registry=self.registry)
        known.set_function(lambda: len(desk.library.volumes()))

    def refuse(self, code: str) -> None:
        """Count a request that gets no answer."""
        self._refused.labels(code).inc()

    async def ask(self, request: ChatRequest) -> Replied:
        """Return the router's reply; raises `RequestError` where there is none."""
        question = await run_in_threadpool(request.question, self._desk.engine.tokenizer)
        known = await run_in_threadpool(self._desk.library.volumes)
        if request.model != AUTO and request.model not in known:
            raise RequestError(
                404, f"There is no model {request.model!r}: GET /v1/models lists them.",
                code="model_not_found", param="model",
            )  # fmt: skip
        if self._running >= self._most:
            raise RequestError(429, "The server is busy: try again soon.", code="too_many_requests")
        self._running += 1
        began = perf_counter()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, self._routed, request, question)
        # It counts as running until it ends, also where nobody waits for it any more.
        work.add_done_callback(self._ended)
        try:
            reply = await asyncio.wait_for(asyncio.shield(work), self._seconds)
        except TimeoutError:
            raise RequestError(
                504, f"There was no answer in {self._seconds:g} s.", code="timeout"
            ) from None
        except asyncio.CancelledError:
            # Nobody waits any more: the client went away, or the server stops and tells so.
            raise RequestError(
                503, "The server is stopping: ask again later.", code="shutting_down"
            ) from None
        except EngineError as error:
            raise RequestError(503, str(error), code="engine_unavailable") from error
        except (NKRError, InputError) as error:
            raise RequestError(400, str(error), code="not_answerable") from error
        self._latency.observe(perf_counter() - began)
        self._answers.labels(reply["route"]).inc()
        return reply

    def _routed(self, request: ChatRequest, question: str) -> Replied:
        video = None if request.model == AUTO else request.model
        asked: Asked = {"question": question, "video": video, "turns": self._turns(request, video)}
        return cast(Replied, graph.invoke(asked, context=self._desk.settings))

    def _turns(self, request: ChatRequest, video: str | None) -> list[Turn]:
        """Return the conversation so far, its questions written out; its last has its video."""
        turns: list[Turn] = []
        said: list[str] = []
        for asked, answer in request.exchanges()[-TURNS:]:
            if small_talk(asked) is None:
                alone = standing_alone(asked, turns)
                turns.append(Turn(question=alone, answer=answer, nkr=video or ""))
                said.append(asked)
        if turns and video is None:
            turns[-1]["nkr"] = self._video(said, turns)
        return turns

    def _video(self, said: Sequence[str], turns: Sequence[Turn]) -> str:
        """Return the video that the last turn was about, found as the router finds it."""
        if not turns:
            return ""
        alone, answer = turns[-1]["question"], turns[-1]["answer"]
        names = likeliest(self._desk, said[-1], alone, lambda: self._video(said[:-1], turns[:-1]))
        if len(names) == 1:
            return names[0]
        citers = ((name, self._desk.volume(name).citer) for name in names)
        backed = (name for name, citer in citers if cited(self._desk, citer, alone, answer))
        return next(backed, names[0])

    def _ended(self, work: "asyncio.Future[Replied]") -> None:
        self._running -= 1
        if not work.cancelled():
            # Where nobody waits any more, nobody else would read it.
            work.exception()

    def close(self) -> None:
        """Begin nothing more; what runs ends with the desk."""
        self._pool.shutdown(wait=False, cancel_futures=True)
