"""The chat completions of OpenAI's API, as far as a router of NKRs has a use for them."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from graphs.routing.state import Citation, Replied
from graphs.server.errors import RequestError
from training.prompt import is_text
from training.wording.timeline import clock

MAX_MESSAGES = 256
MAX_QUESTION = 16_000
# A question is asked four times in one batch, before others' questions: a longer one would keep
# everybody waiting, and no adapter knows what to make of it.
MAX_TOKENS = 512


class Part(BaseModel):
    """A part of a message's content; only text is read."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """What the message says."""
        if isinstance(self.content, list):
            texts = [part.text or "" for part in self.content if part.type == "text"]
            return " ".join(texts).strip()
        return (self.content or "").strip()


class StreamOptions(BaseModel):
    """How a stream ends."""

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """A request; parameters of sampling are accepted and change nothing: answers are greedy.

    So are tools that need not be called. What would change the answer's form is refused.
    """

    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stop: str | list[str] | None = None
    tool_choice: Any = None
    response_format: Any = None
    citations: Literal["field", "footnotes"] | None = None

    @field_validator("tool_choice")
    @classmethod
    def calls_nothing(cls, choice: Any) -> Any:
        """Refuse to be made to call a tool."""
        if choice not in (None, "none", "auto"):
            raise ValueError("no tool is ever called: give 'auto' or 'none'")
        return choice

    @field_validator("response_format")
    @classmethod
    def is_prose(cls, form: Any) -> Any:
        """Refuse to answer in JSON."""
        if form is not None and form != {"type": "text"}:
            raise ValueError("answers are plain text: give {'type': 'text'} or nothing")
        return form

    @property
    def limit(self) -> int | None:
        """The tokens that an answer may have."""
        return self.max_completion_tokens or self.max_tokens

    def question(self, tokenizer: Any) -> str:
        """Return the last message, which must be the user's, say something and be no book."""
        last = self.messages[-1]
        if last.role != "user":
            raise _bad("The last message must be the user's question.", "no_question")
        if not last.text:
            raise _bad("The last message has no text: questions are asked in words.", "no_question")
        if not all(is_text(message.text) for message in self.messages):
            raise _bad("A message holds half of a character: send valid Unicode.", "invalid_text")
        if len(last.text) > MAX_QUESTION or len(_tokens(tokenizer, last.text)) > MAX_TOKENS:
            told = f"The question is too long: ask it in at most {MAX_TOKENS} tokens."
            raise _bad(told, "too_long")
        return last.text

    def exchanges(self) -> list[tuple[str, str]]:
        """Return the questions and answers so far."""
        found: list[tuple[str, str]] = []
        asked = ""
        for message in self.messages[:-1]:
            if message.role == "user":
                asked = message.text
            elif message.role == "assistant" and asked:
                found.append((asked, without_footnotes(message.text)))
                asked = ""
        return found


def _bad(message: str, code: str) -> RequestError:
    return RequestError(400, message, code=code, param="messages")


def _tokens(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _stopped(text: str, stop: str | list[str] | None) -> str:
    """Return a text up to the first of its stops."""
    stops = [stop] if isinstance(stop, str) else stop or []
    return text[: min((text.index(one) for one in stops if one and one in text), default=None)]


def footnoted(answer: str, citations: list[Citation]) -> str:
    """Return an answer with its citations as footnotes."""
    if not citations:
        return answer
    marks = "".join(f" [{number}]" for number, _ in enumerate(citations, 1))
    notes = "\n".join(
        f"[{number}] {clock(c['start'])}-{clock(c['end'])} {c['kind']}: {c['text']}"
        for number, c in enumerate(citations, 1)
    )
    return f"{answer}{marks}\n\n{notes}"


def without_footnotes(text: str) -> str:
    """Return an answer as it was before its footnotes."""
    head = text.partition("\n\n[1] ")[0]
    return re.sub(r"(?: \[\d+\])+$", "", head)


class Completion:
    """One answer on its way out: whole, or as the chunks of a stream."""

    def __init__(self, request: ChatRequest, reply: Replied, tokenizer: Any) -> None:
        self._request = request
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": request.model,
        }
        text = _stopped(reply["answer"], request.stop)
        ids = _tokens(tokenizer, text)
        self._finish = "stop"
        if request.limit is not None and len(ids) > request.limit:
            ids, self._finish = ids[: request.limit], "length"
            text = tokenizer.decode(ids, skip_special_tokens=True)
        elif request.citations == "footnotes":
            text = footnoted(text, reply["citations"])
        self._text = text
        asked = sum(len(_tokens(tokenizer, message.text)) for message in request.messages)
        self._usage = {
            "prompt_tokens": asked,
            "completion_tokens": len(ids),
            "total_tokens": asked + len(ids),
        }
        kept = ("nkr", "route", "confidence", "supported", "citations", "standalone", "steps")
        self._nkr = {name: reply.get(name) for name in kept}

    def whole(self) -> dict[str, Any]:
        """Return the response object; ``nkr`` tells the route, the video and the citations."""
        message = {"role": "assistant", "content": self._text}
        choice = {
            "index": 0, "message": message, "finish_reason": self._finish, "logprobs": None,
        }  # fmt: skip
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": self._usage,
            "nkr": self._nkr,
        }

    def events(self) -> Iterator[str]:
        """Yield the server-sent events of a stream; the last with a choice holds ``nkr``."""
        options = self._request.stream_options
        usage = options is not None and bool(options.include_usage)
        yield self._event({"role": "assistant", "content": ""})
        for word in re.findall(r"\s*\S+|\s+$", self._text):
            yield self._event({"content": word})
        yield self._event({}, finish=self._finish, nkr=self._nkr)
        if usage:
            yield self._data({"choices": [], "usage": self._usage})
        yield "data: [DONE]\n\n"

    def _event(self, delta: dict[str, str], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return self._data({"choices": [choice], **more})

    def _data(self, body: dict[str, Any]) -> str:
        chunk = {**self._head, "object": "chat.completion.chunk", **body}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
