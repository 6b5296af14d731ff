"""Distillation from context: the backbone that reads a description teaches the one that does not.

The teacher is the same backbone with the adapter off, and has in its context what the describer
wrote about the record's facts; its `TOP_K` likeliest tokens at each place of the answer are what
the adapter learns to give from weights. (Context distillation: Snell et al., arXiv 2209.15189.)
Records about which nothing was described, refusals, choices and yes/no are learnt as in plain
fine-tuning.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy, pad

from training.corpus import Record
from training.lora_trainer import LoraTrainer

TOP_K = 16
# The backbone that this project ships has not read longer sheets.
MOST_DESCRIPTIONS = 3
IGNORED = -100
# What the teacher answers in the words that are expected.
TAUGHT = ("open", "list", "summary")


def contexts(records: Sequence[Record]) -> list[str]:
    """Return for each record the descriptions of its facts, in order; none is an empty text."""
    described: dict[str, str] = {}
    for record in records:
        if record.kind == "description":
            for fact in record.fact_ids:
                described.setdefault(fact, record.answer)
    found = []
    for record in records:
        facts = record.fact_ids if record.category in TAUGHT else []
        texts = list(dict.fromkeys(described[fact] for fact in facts if fact in described))
        sheet = "\n".join(texts)
        told = all(part in sheet for part in record.answer.split("; "))
        found.append(sheet if told and len(texts) <= MOST_DESCRIPTIONS else "")
    return found


class DistillTrainer(LoraTrainer):
    """Learns from the teacher where a row says what it reads (``seen_ids``, ``seen_labels``)."""

    _signature_columns: Any

    def __init__(self, *, processing_class: Any, **kwargs: Any) -> None:
        super().__init__(processing_class=processing_class, **kwargs)
        self._pad = processing_class.tokenizer.pad_token_id
        self._plain_collator = self.data_collator
        self.data_collator = self._collate

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = [*self._signature_columns, "seen_ids", "seen_labels"]

    def _collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        seen = ("seen_ids", "seen_labels")
        plain = [{k: v for k, v in row.items() if k not in seen} for row in rows]
        width = max(len(row["seen_ids"]) for row in rows)
        filled = {"seen_ids": self._pad, "seen_labels": IGNORED}
        return {
            **self._plain_collator(plain),
            **{
                name: torch.stack(
                    [
                        pad(torch.as_tensor(row[name]), (0, width - len(row[name])), value=value)
                        for row in rows
                    ]
                )
                for name, value in filled.items()
            },
            "seen_mask": torch.stack(
                [(torch.arange(width) < len(row["seen_ids"])).long() for row in rows]
            ),
        }

    def answer_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Return the mean over the answers' tokens of the distance from what is taught."""
        labels = inputs["labels"][:, 1:]
        answers = labels != IGNORED
        seen = inputs["seen_labels"][:, 1:] != IGNORED
        with torch.no_grad(), model.disable_adapter():
            read = self.answer_logits(model, inputs["seen_ids"], inputs["seen_mask"], seen)
        told = self.answer_logits(model, inputs["input_ids"], inputs["attention_mask"], answers)
        losses = cross_entropy(told.float(), labels[answers], reduction="none")
        taught = seen.any(dim=1)[answers.nonzero()[:, 0]]
        likeliest = read.float().log_softmax(dim=-1).topk(min(TOP_K, read.shape[-1]), dim=-1)
        wanted = likeliest.values.softmax(dim=-1)
        given = told[taught].float().log_softmax(dim=-1).gather(1, likeliest.indices)
        losses = losses.masked_scatter(taught, -(wanted * given).sum(dim=-1))
        return losses.mean()
