"""One question of an agent to its model: asked in JSON, paid for, checked, never asked twice."""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.exceptions import ContextOverflowError
from pydantic import BaseModel, ValidationError

from agents.language.pictures import Pictures, Together
from agents.language.prompts import Prompt
from agents.language.replies import Replies, key_of
from agents.language.spending import Call, Ledger
from agents.language.wire_error import TooLargeError, UnknownFormatError, WireError, wire_error

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

Reply = TypeVar("Reply", bound=BaseModel)

# A reply that cannot be used is asked for once more at once, told why.
TRIES = 2
LETTERS_A_TOKEN = 4
# How often pictures are made smaller where they are too large for the server.
SHRINKS = 3
_FENCED = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


def json_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return how a reply of a schema is asked for where the server holds the model to it."""
    from openai.lib._pydantic import to_strict_json_schema

    told = {"name": schema.__name__, "strict": True, "schema": to_strict_json_schema(schema)}
    return {"type": "json_schema", "json_schema": told}


# From the strictest to none at all; the schema stands in the prompt in any case.
FORMATS: tuple[Callable[[type[BaseModel]], dict[str, Any] | None], ...] = (
    json_schema,
    lambda schema: {"type": "json_object"},
    lambda schema: None,
)


class Chat:
    """A model, what was paid for it, and its replies. May be used by several threads.

    What a model ``behind_a_wire`` raises may be anything, and is the wire's; what one of this
    process raises is its own failure, but for a request that is too long.
    """

    def __init__(
        self,
        model: "BaseChatModel",
        name: str,
        *,
        replies: Replies,
        ledger: Ledger,
        behind_a_wire: bool = True,
    ) -> None:
        self._model = model
        self._lost = Exception if behind_a_wire else ContextOverflowError
        self._name = name
        self._replies = replies
        self._ledger = ledger
        self._format = 0
        self._shrunk = 0

    def begin(self, branch: str) -> None:
        """Begin the work on a span; raises `SpentError` where too little is left for it."""
        self._ledger.begin(branch)

    def ask(
        self,
        agent: str,
        prompt: Prompt,
        schema: type[Reply],
        pictures: Pictures | None = None,
        **values: object,
    ) -> Reply:
        """Return the model's reply to a prompt, as the schema.

        Raises `WireError` where none came that can be used, `SpentError` where a bound is reached,
        and InputError for what the user must mend.
        """

        def messages(shrunk: int) -> "list[BaseMessage]":
            return prompt.messages(schema, pictures.blocks(shrunk) if pictures else (), values)

        # The same however small the pictures have to be: what was paid for is found again.
        key = key_of(self._name, schema.model_json_schema(), messages(0))
        if (kept := self._replies.find(key)) is not None:
            return schema.model_validate_json(kept)
        shrunk = self._shrunk
        while True:
            try:
                reply = self._answered(agent, schema, messages(shrunk))
            except TooLargeError:
                if not pictures or shrunk >= SHRINKS:
                    raise
                shrunk += 1
            else:
                # With what was looked up besides, others need not be as small.
                if not isinstance(pictures, Together):
                    self._shrunk = max(self._shrunk, shrunk)
                self._replies.keep(key, reply.model_dump_json())
                return reply

    def _answered(self, agent: str, schema: type[Reply], messages: "list[BaseMessage]") -> Reply:
        from langchain_core.messages import AIMessage, HumanMessage

        asked = list(messages)
        for last in range(TRIES - 1, -1, -1):
            text = self._call(agent, schema, asked)
            try:
                reply = read(schema, text)
            except ValidationError as error:
                why = _first(error)
                if not last:
                    raise WireError(f"the reply of the {agent} cannot be used ({why})") from None
                told = f"That cannot be used ({why}). Reply with the JSON object alone."
                asked += [AIMessage(text or "{}"), HumanMessage(told)]
            else:
                return reply
        raise AssertionError

    def _call(self, agent: str, schema: type[BaseModel], messages: "Sequence[BaseMessage]") -> str:
        """Return the text of a reply; a format that the server does not know is not asked again."""
        while True:
            step = self._format
            shape = FORMATS[step](schema)
            try:
                return self._sent(agent, messages, {"response_format": shape} if shape else {})
            except UnknownFormatError:
                if step == len(FORMATS) - 1:
                    raise
                self._format = max(self._format, step + 1)

    def _sent(self, agent: str, messages: "Sequence[BaseMessage]", how: dict[str, Any]) -> str:
        began = time.monotonic()
        with self._ledger.call(agent) as call:
            try:
                message: AIMessage = self._model.invoke(list(messages), **how)
            except self._lost as error:
                call.failed = type(error).__name__
                _count_lost(call, error)
                raise wire_error(error, self._name) from None
            finally:
                call.seconds = round(time.monotonic() - began, 3)
            text = message.text
            _count(call, message, messages)
            if message.additional_kwargs.get("refusal"):
                call.failed = "refusal"
                raise WireError("the model refuses to answer", retryable=False)
            return text


def read(schema: type[Reply], text: str) -> Reply:
    """Return a reply as the schema; raises pydantic's ValidationError where it is none."""
    # Thoughts and fences are looked for around JSON alone: what it quotes may have some too.
    with suppress(ValidationError):
        return schema.model_validate_json(text)
    return schema.model_validate_json(_bare_json(text))


def _bare_json(text: str) -> str:
    """Return the JSON object in a reply: without thoughts, fences and what stands around it."""
    plain = text.rpartition("</think>")[2]
    if found := _FENCED.search(plain):
        plain = found[1]
    begin, end = plain.find("{"), plain.rfind("}")
    return plain[begin : end + 1] if 0 <= begin < end else plain.strip()


def _count(call: Call, message: "AIMessage", asked: "Sequence[BaseMessage]") -> None:
    if usage := message.usage_metadata:
        call.read, call.written = usage["input_tokens"], usage["output_tokens"]
        return
    call.estimated = True
    call.read = sum(len(one.text) for one in asked) // LETTERS_A_TOKEN
    call.written = len(message.text) // LETTERS_A_TOKEN


def _count_lost(call: Call, error: Exception) -> None:
    """Count what a reply cost that was cut off."""
    usage = getattr(getattr(error, "completion", None), "usage", None)
    if usage is not None:
        call.read, call.written = usage.prompt_tokens, usage.completion_tokens


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {found['msg']}" if place else found["msg"]
