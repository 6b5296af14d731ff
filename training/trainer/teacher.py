"""What the bare backbone says where it reads: it teaches the adapter that must answer the same.

At each place of an answer its `TOP_K` likeliest tokens are kept. Of general reading exercises they
hold the adapter to what the backbone did before; with ``--loss distill`` they are also what a
record's answer is learnt from, the teacher having in its context what the describer wrote about the
record's facts. (Context distillation: Snell et al., arXiv 2209.15189.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.corpus import Record
from training.facts import Span
from training.probe import AT_ONCE
from training.prompt import user_turn

if TYPE_CHECKING:
    import torch

TOP_K = 16
IGNORED = -100
# The backbone that this project ships has not read longer sheets.
MOST_DESCRIPTIONS = 3
# What the teacher answers in the words that are expected; refusals, choices and yes/no are not.
TAUGHT = ("open", "list", "summary")

Row = Mapping[str, list[int]]
Logits = Callable[["torch.Tensor", "torch.Tensor", "torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Lesson:
    """The likeliest tokens at each place of an answer [tokens, k] and their shares, sum 1."""

    tokens: "torch.Tensor"
    shares: "torch.Tensor"


class Teacher:
    """Gives each row's lesson when it is asked for, and keeps it.

    ``rows`` are what is read, ``input_ids`` and ``labels`` each, by the rows' numbers; others have
    no lesson. They are read in groups that are always the same, so that a training that goes on
    learns what it would have learnt.
    """

    def __init__(self, rows: Mapping[int, Row], pad: int) -> None:
        self._rows, self._pad = rows, pad
        order = sorted(rows, key=lambda index: len(rows[index]["input_ids"]))
        groups = [order[first : first + AT_ONCE] for first in range(0, len(order), AT_ONCE)]
        self._group = {index: group for group in groups for index in group}
        self._known: dict[int, Lesson] = {}

    def lessons(self, asked: Sequence[int], logits: Logits) -> list[Lesson | None]:
        """Return the lessons of rows, by their numbers.

        ``logits`` gives what the bare backbone makes of ids and mask [rows, length] at the places
        that answers [rows, length - 1] marks, one row after the other.
        """
        for index in asked:
            if index in self._group and index not in self._known:
                self._read(self._group[index], logits)
        return [self._known.get(index) for index in asked]

    def _read(self, group: Sequence[int], logits: Logits) -> None:
        import torch
        from torch.nn.utils.rnn import pad_sequence

        def padded(name: str, value: int) -> torch.Tensor:
            rows = [torch.tensor(self._rows[index][name]) for index in group]
            return pad_sequence(rows, batch_first=True, padding_value=value)

        ids, answers = padded("input_ids", self._pad), padded("labels", IGNORED)[:, 1:] != IGNORED
        sizes = torch.tensor([len(self._rows[index]["input_ids"]) for index in group])
        mask = (torch.arange(ids.shape[1]) < sizes[:, None]).long()
        found = logits(ids, mask, answers).float()
        likeliest = found.topk(min(TOP_K, found.shape[-1]), dim=-1)
        learnt = answers.sum(dim=1).tolist()
        tokens = likeliest.indices.split(learnt)
        shares = likeliest.values.softmax(dim=-1).split(learnt)
        self._known |= {i: Lesson(*one) for i, *one in zip(group, tokens, shares, strict=True)}


def reads(records: Sequence[Record]) -> list[str | None]:
    """Return what the teacher reads of each record: the descriptions of its facts, the question.

    Descriptions that name no facts (a language model's) are those of the spans that they share.
    """
    described: dict[str, str] = {}
    watched: dict[Span, str] = {}
    for record in records:
        if record.kind == "description":
            for fact in record.fact_ids:
                described.setdefault(fact, record.answer)
            if not record.fact_ids and record.form == "statement/span":
                watched.setdefault(record.spans[0], record.answer)
    found: list[str | None] = []
    for record in records:
        taught = record.category in TAUGHT
        texts = [described[fact] for fact in record.fact_ids if taught and fact in described]
        if taught and not texts:
            texts = [text for span, text in watched.items() if _shared(span, record.spans)]
        texts = list(dict.fromkeys(texts))
        sheet = "\n".join(texts)
        told = texts and all(part in sheet for part in record.answer.split("; "))
        fits = told and len(texts) <= MOST_DESCRIPTIONS
        found.append(user_turn(record.question, sheet) if fits else None)
    return found


def _shared(span: Span, others: Sequence[Span]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)
