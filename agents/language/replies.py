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
        """Return the stored reply to a question; None where there is none, or a damaged one."""
        try:
            kept = json.loads(self._path(key).read_bytes())
            text = str(kept["reply"])
            return text if kept["sha256"] == _hash(text) else None
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def keep(self, key: str, text: str) -> None:
        """Store a reply."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        kept = json.dumps({"reply": text, "sha256": _hash(text)}, ensure_ascii=False)
        temporary.write_text(kept, encoding="utf-8", newline="\n")
        temporary.replace(path)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(model: str, schema: Any, messages: Sequence[Any]) -> str:
    """Return the SHA-256, in hex, of a question: the model, the reply's schema, the messages."""
    told = [model, schema, [[message.type, message.content] for message in messages]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
