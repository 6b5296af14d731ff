"""Greedy answers of a backbone, in batches, with the log-probability of each."""

import time
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from training.answerer import Answer
from training.backbone import Backbone
from training.errors import NKRError
from training.moments import moments_of
from training.prompt import exchange, plain, prompt, user_turn

if TYPE_CHECKING:
    import torch

BATCH = 64
MAX_NEW_TOKENS = 160


class Generator:
    """An `Answerer` that is a model as it stands: a bare backbone, or one with an adapter on.

    ``before_batch`` is told the numbers of the questions that are generated together next, and
    returns a number that changes when tensors of the model are replaced. With ``replays`` nobody
    else changes the model, and a GPU answers single questions from a captured graph.
    """

    def __init__(
        self,
        backbone: Backbone,
        model: Any = None,
        *,
        before_batch: Callable[[Sequence[int]], int] | None = None,
        replays: bool = False,
    ) -> None:
        self._backbone = backbone
        self._model = backbone.model if model is None else model
        self._before_batch = before_batch
        self._replays = None
        if replays and self._model.device.type == "cuda":
            from training.decoder import Replays

            self._replays = Replays(self._model)

    def answer(
        self,
        questions: Sequence[str],
        *,
        context: str | None = None,
        contexts: Sequence[str | None] | None = None,
    ) -> list[Answer]:
        """Return one answer a question, in order; `NKRError` where one is too long to read.

        ``contexts`` are those of each question, in place of one ``context`` for all.
        """
        if not questions:
            return []
        tokenizer, processor = self._backbone.tokenizer, self._backbone.processor
        read = contexts or [context] * len(questions)
        turns = [plain(tokenizer, user_turn(*pair)) for pair in zip(questions, read, strict=True)]
        prompts = [prompt(processor, turn) for turn in turns]
        encoded = tokenizer(prompts, add_special_tokens=False)["input_ids"]
        longest = max(map(len, encoded))
        room = self._model.config.get_text_config().max_position_embeddings - MAX_NEW_TOKENS
        if longest > room:
            raise NKRError(
                f"A question of {longest} tokens is too long: this backbone reads up to {room}, so "
                "ask it in fewer words."
            )
        answers: dict[int, Answer] = {}
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            layout = self._before_batch(batch) if self._before_batch else 0
            rows = [encoded[index] for index in batch]
            found = self._replayed(rows, layout) or _generate(self._model, tokenizer, rows)
            answers.update(zip(batch, found, strict=True))
        return [answers[index] for index in range(len(questions))]

    def _replayed(self, rows: Sequence[list[int]], layout: int) -> list[Answer] | None:
        if self._replays is None or len(rows) > 1:
            return None
        began = time.perf_counter()
        ends = _ends(self._model)
        written = self._replays.write(rows[0], MAX_NEW_TOKENS, ends, layout)
        if written is None:
            return None
        seconds = time.perf_counter() - began
        answer = _answer(self._backbone.tokenizer, *written, seconds)
        if not self._replays.believed:
            (own,) = _generate(self._model, self._backbone.tokenizer, rows)
            self._replays.believe(own.text == answer.text)
            return [own]
        return [answer]

    def logprobs(self, turns: Sequence[str], answers: Sequence[str]) -> "list[torch.Tensor]":
        """Return for each turn the log-probabilities [tokens, vocabulary] of its answer."""
        import torch

        tokenizer, processor = self._backbone.tokenizer, self._backbone.processor
        pairs = [
            exchange(processor, plain(tokenizer, turn), plain(tokenizer, answer))
            for turn, answer in zip(turns, answers, strict=True)
        ]
        asked, told = (
            tokenizer(list(texts), add_special_tokens=False)["input_ids"]
            for texts in zip(*pairs, strict=True)
        )
        rows = [[*before, *after] for before, after in zip(asked, told, strict=True)]
        ids, mask = _padded(rows, tokenizer.pad_token_id)
        with torch.inference_mode():
            logits = self._model(
                input_ids=ids.to(self._model.device),
                attention_mask=mask.to(self._model.device),
                logits_to_keep=max(map(len, told)) + 1,
            ).logits
        return [
            row[-1 - len(after) : -1].float().log_softmax(dim=-1).cpu()
            for row, after in zip(logits, told, strict=True)
        ]


def _generate(model: Any, tokenizer: Any, prompts: Sequence[list[int]]) -> list[Answer]:
    """Answer one batch greedily, padded on the left."""
    import torch
    from transformers import LogitsProcessorList

    began = time.perf_counter()
    pad = tokenizer.pad_token_id
    ids, mask = _padded(prompts, pad)
    device = model.device
    logprobs: list[torch.Tensor] = []

    def note(_: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # Greedy decoding takes the largest, so its log-probability is all there is to keep.
        logprobs.append(scores.float().log_softmax(dim=-1).amax(dim=-1))
        return scores

    with torch.inference_mode():
        output = model.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            do_sample=False,
            max_new_tokens=MAX_NEW_TOKENS,
            pad_token_id=pad,
            logits_processor=LogitsProcessorList([note]),
        )
    written = output[:, ids.shape[1] :].cpu()
    table = torch.stack(logprobs, dim=1).cpu()
    ends = torch.tensor(_ends(model))
    seconds = (time.perf_counter() - began) / len(prompts)
    answers = []
    for tokens, row in zip(written, table, strict=True):
        stops = torch.isin(tokens, ends).nonzero()
        count = int(stops[0]) + 1 if len(stops) else len(tokens)
        answers.append(_answer(tokenizer, tokens[:count].tolist(), row[:count].tolist(), seconds))
    return answers


def _answer(
    tokenizer: Any, tokens: Sequence[int], logprobs: Sequence[float], seconds: float
) -> Answer:
    text = tokenizer.decode(tokens, skip_special_tokens=True).strip()
    moments = moments_of(text, logprobs, lambda count: tokenizer.decode(tokens[:count]))
    return Answer(text, fmean(logprobs), len(tokens), seconds, moments)


def _padded(rows: Sequence[list[int]], pad: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return token ids and their mask [rows, length], padded on the left."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids, mask


def _ends(model: Any) -> list[int]:
    ends = model.generation_config.eos_token_id
    return ends if isinstance(ends, list) else [ends]
