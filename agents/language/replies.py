"""Replies that a run has paid for, by what was asked: nothing is asked twice."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Replies:
    """Files in one folder, each written whole or not at all; only replies that were of use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> str | None:
        """Return the stored reply to a question, or None."""
        try:
            return self._path(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def keep(self, key: str, text: str) -> None:
        """Store a reply."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def key_of(model: str, schema: Any, messages: Sequence[Any]) -> str:
    """Return the SHA-256, in hex, of a question: the model, the reply's schema, the messages."""
    told = [model, schema, [[message.type, message.content] for message in messages]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
