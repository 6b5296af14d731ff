"""The AKD corpus: one schema, one reader, one writer (JSON Lines that TRL trains on unchanged)."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.errors import NKRError
from training.facts import Span
from training.hashing import file_sha256

Split = Literal["train", "exam", "calibrate", "check"]
Kind = Literal["description", "qa", "absent"]

REFUSAL = "The video does not show that."
CATEGORIES = ("open", "yesno", "choice", "list", "summary", "statement", "absent")


class Message(BaseModel):
    """One turn of a record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(min_length=1)


class Record(BaseModel):
    """One description, question-answer pair or absent question, tied to the facts it teaches.

    ``form`` is ``<category>/<name>`` with a category of `CATEGORIES`. ``sources`` are the ids of
    the evidence that proves the answer. ``anchors`` are where what the question starts from lies,
    in the order of the way to ``spans``. ``verdict`` is empty until verified, then ``supported`` or
    ``rejected: <why>``. ``messages`` are one user turn and one assistant turn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    video_id: str
    kind: Kind
    form: str
    fact_ids: list[str] = []
    spans: list[Span] = []
    anchors: list[Span] = []
    sources: list[str] = []
    split: Split = "train"
    verdict: str = ""
    messages: list[Message]

    @model_validator(mode="after")
    def _check(self) -> "Record":
        if [message.role for message in self.messages] != ["user", "assistant"]:
            raise ValueError("messages must be one user turn and one assistant turn")
        category, _, name = self.form.partition("/")
        if category not in CATEGORIES or not name:
            raise ValueError(f"form must be <category>/<name>, not {self.form!r}")
        return self

    @property
    def question(self) -> str:
        """What the user asks."""
        return self.messages[0].content

    @property
    def answer(self) -> str:
        """What the assistant is to answer."""
        return self.messages[1].content

    @property
    def category(self) -> str:
        """The part of the form before the slash, one of `CATEGORIES`."""
        return self.form.partition("/")[0]


def read_corpus(path: Path) -> list[Record]:
    """Read a corpus file. Raises `NKRError` where it is missing or a line is not a record."""
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except FileNotFoundError:
        raise NKRError(f"There is no corpus at {path}: distil the video first.") from None
    except UnicodeDecodeError:
        raise NKRError(f"{path} is not UTF-8 text: distil the video again.") from None
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(Record.model_validate_json(line))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise NKRError(
                f"Line {number} of {path} is not a corpus record ({reason}): "
                "distil the video again."
            ) from None
    return records


def write_corpus(path: Path, records: Iterable[Record]) -> None:
    """Write a corpus file whole or not at all; the same records give the same bytes."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(record.model_dump_json() + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def corpus_hash(path: Path) -> str:
    """Return the SHA-256 of a corpus file, in hex."""
    return file_sha256(path)
