"""Answers of an OpenAI-compatible server, such as vLLM, that holds the same backbone and adapters.

vLLM's filesystem LoRA resolver finds an NKR by its folder's name, which is asked as the model; the
bare backbone is asked under its own name.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from training.answerer import Answer
from training.errors import EngineError, NKRError
from training.generate import MAX_NEW_TOKENS
from training.moments import moments_of, told
from training.nkr import NKR
from training.prompt import user_turn

AT_ONCE = 32
# Statuses of which the question is innocent: keys, time, too many at once.
_ITS_OWN = (401, 403, 408, 429)


class RemoteEngine:
    """Asks a server in place of a model in this process; takes the place of a `Rack`.

    ``name`` is the backbone's there, ``tokenizer`` its own. Raises `EngineError` where the
    server cannot be reached.
    """

    def __init__(self, base_url: str, *, name: str, tokenizer: Any, timeout: float = 120.0) -> None:
        import openai

        self.tokenizer = tokenizer
        self._name = name
        self._url = base_url
        # A server of one's own needs no key, but the package wants one.
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self._client = openai.OpenAI(base_url=base_url, api_key=key, timeout=timeout)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="remote")
        try:
            self._client.models.list()
        except openai.NotFoundError as error:
            raise EngineError(
                f"{base_url} is no address of an engine (404): give --base-url with its path, "
                "which is /v1 for most servers."
            ) from error
        except openai.OpenAIError as error:
            raise self._told(error) from error

    def of(self, nkr: NKR | None) -> "RemoteAnswerer":
        """Return what answers with an NKR; None is the bare backbone."""
        if nkr is None:
            return RemoteAnswerer(self, self._name)
        return RemoteAnswerer(self, nkr.folder.resolve().name, moments=nkr.manifest.moments)

    def ask(self, model: str, turn: str) -> Answer:
        """Return a model's greedy answer to a turn."""
        import openai

        began = time.perf_counter()
        try:
            found = self._client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": turn}],
                temperature=0.0,
                max_tokens=MAX_NEW_TOKENS,
                logprobs=True,
            )
        except openai.OpenAIError as error:
            raise self._told(error) from error
        choice = found.choices[0]
        told = choice.logprobs.content if choice.logprobs else None
        text = (choice.message.content or "").strip()
        if text and not told:
            raise EngineError(
                f"The engine at {self._url} gives no log-probabilities, without which nothing "
                "tells how sure an answer is: use one that does, such as vLLM."
            )
        probable = [token.logprob for token in told or []]
        count = len(probable) or 1
        moments = moments_of(
            text, probable, lambda some: "".join(token.token for token in (told or [])[:some])
        )
        return Answer(text, sum(probable) / count, count, time.perf_counter() - began, moments)

    def map(self, model: str, turns: Sequence[str]) -> list[Answer]:
        """Return answers to turns that are asked at the same time."""
        return list(self._pool.map(lambda turn: self.ask(model, turn), turns))

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _told(self, error: Exception) -> NKRError:
        said = str(getattr(error, "message", "") or error).strip().rstrip(".")
        status = getattr(error, "status_code", 500)
        if 400 <= status < 500 and status not in _ITS_OWN:
            return NKRError(f"The engine at {self._url} cannot answer that ({said}).")
        return EngineError(f"The engine at {self._url} does not answer ({said}): see that it runs.")


class RemoteAnswerer:
    """An `Answerer`: one model of the server."""

    def __init__(self, engine: RemoteEngine, model: str, *, moments: bool = False) -> None:
        self._engine, self._model, self._moments = engine, model, moments

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        """Return one answer a question, in order."""
        turns = [user_turn(question, context) for question in questions]
        answers = self._engine.map(self._model, turns)
        return [told(answer) for answer in answers] if self._moments else answers
