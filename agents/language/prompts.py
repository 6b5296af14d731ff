"""Prompts as named data: `prompts/NAME.toml`, each with what it is for and what it is given."""

import json
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

SHAPE = "Reply with one JSON object and nothing else, of this JSON schema:\n"


@dataclass(frozen=True)
class Prompt:
    """A system and a user text; their ``$words`` are given with each question."""

    name: str
    purpose: str
    system: str
    user: str

    def messages(
        self,
        schema: type[BaseModel],
        blocks: Sequence[dict[str, Any]],
        values: Mapping[str, object],
    ) -> "list[BaseMessage]":
        """Return the messages of one question, with pictures' content blocks after the text."""
        from langchain_core.messages import HumanMessage, SystemMessage

        shape = SHAPE + json.dumps(schema.model_json_schema())
        system, text = (
            string.Template(part).substitute(values).strip() for part in (self.system, self.user)
        )
        content: Any = [{"type": "text", "text": text}, *blocks] if blocks else text
        return [
            SystemMessage(f"{system}\n\n{shape}"),
            HumanMessage(content),
        ]


@cache
def prompt(name: str) -> Prompt:
    """Return the prompt of a name."""
    text = files("agents.language").joinpath(f"prompts/{name}.toml").read_text(encoding="utf-8")
    return Prompt(name=name, **tomllib.loads(text))
