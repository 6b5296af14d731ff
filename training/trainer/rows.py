"""What a training reads: questions and answers as token ids and labels."""

from collections.abc import Sequence
from typing import Any

from training.corpus import Record
from training.prompt import exchange, plain
from training.trainer.teacher import IGNORED, Row, reads

MAX_TOKENS = 1024


def dataset(rows: Sequence[Row], records: int, weight: float) -> Any:
    """Return the rows as TRL takes them, numbered: so many records, then exercises that weigh."""
    from datasets import Dataset

    def marked(number: int) -> dict[str, Any]:
        exercise = number >= records
        return {"row": number, "exercise": exercise, "weight": weight if exercise else 1.0}

    return Dataset.from_list([{**row, **marked(number)} for number, row in enumerate(rows)])


def described(processor: Any, records: Sequence[Record], rows: Sequence[Row]) -> dict[int, Row]:
    """Return what the teacher reads in place of the records' rows, by their numbers."""
    turns = {i: turn for i, turn in enumerate(reads(records)) if turn is not None}
    found = rows_of(processor, [(turn, records[i].answer) for i, turn in turns.items()])
    # A sheet so long that the answer was cut off teaches nothing.
    return {i: row for i, row in zip(turns, found, strict=True) if _learnt(row) == _learnt(rows[i])}


def _learnt(row: Row) -> int:
    return sum(label != IGNORED for label in row["labels"])


def rows_of(processor: Any, taught: Sequence[tuple[str, str]]) -> list[Row]:
    """Return what is asked and told as token ids and labels: TRL would take a millisecond each."""
    if not taught:
        return []
    tokenizer = processor.tokenizer
    exchanges = [
        exchange(processor, plain(tokenizer, asked), plain(tokenizer, told))
        for asked, told in taught
    ]
    return [
        {
            "input_ids": [*before, *after][:MAX_TOKENS],
            "labels": [*[IGNORED] * len(before), *after][:MAX_TOKENS],
        }
        for before, after in zip(
            tokenizer([asked for asked, _ in exchanges], add_special_tokens=False)["input_ids"],
            tokenizer([told for _, told in exchanges], add_special_tokens=False)["input_ids"],
            strict=True,
        )
    ]
