"""What pretraining reads: invented talks, from easy to hard, in batches of like length."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from training.worlds.documents import Turn, document, echo
from training.worlds.words import everyday_words

# The share of the tokens outside answers that are learnt too, and how lightly.
OTHER_SHARE = 0.04
OTHER_WEIGHT = 0.3
POOL = 192


@dataclass(frozen=True)
class Stage:
    """A part of the curriculum, up to the document numbered ``until``.

    ``echoed`` is the share of talks that only repeat what was said; ``batch_tokens`` is the size
    of a batch with its padding.
    """

    until: float
    most_shots: int
    echoed: float
    batch_tokens: int


# First copying, then reading from longer and longer descriptions. Copying is taught by itself, in
# small batches: mixed into the questions the loss stood still, alone it fell at once.
STAGES = (
    Stage(3072, 1, 1.0, 1536),
    Stage(6144, 1, 0.1, 2560),
    Stage(12000, 2, 0.05, 3072),
    Stage(math.inf, 3, 0.03, 3072),
)


@dataclass
class Batch:
    """Token ids [rows, length], the positions whose next token is learnt, and their weights."""

    ids: torch.Tensor
    learnt: torch.Tensor
    weights: torch.Tensor
    tokens: int


def encode(tokenizer: Any, turns: list[Turn]) -> tuple[list[int], list[bool]]:
    """Return a talk's token ids in the chat format, and which of them are answers."""
    ids: list[int] = []
    answers: list[bool] = []
    for turn in turns:
        asked = f"<|im_start|>user\n{turn.user}<|im_end|>\n<|im_start|>assistant\n"
        for text, learnt in ((asked, False), (f"{turn.assistant}<|im_end|>", True), ("\n", False)):
            piece = tokenizer(text, add_special_tokens=False)["input_ids"]
            ids += piece
            answers += [learnt] * len(piece)
    return ids, answers


def batches(
    tokenizer: Any, seed: int, first: int, stages: Sequence[Stage] = STAGES
) -> Iterator[tuple[int, int, Batch]]:
    """Yield batches of talks of like length, a pool of talks after the other.

    With each come the number of its pool's first talk, ``first`` to begin with, and its place in
    the pool.
    """
    words = everyday_words()
    while True:
        pool = []
        for number in range(first, first + POOL):
            rng = random.Random(f"{seed}-{number}")
            stage = next(stage for stage in stages if number < stage.until)
            if stage.echoed and rng.random() < stage.echoed:
                talk = echo(rng, words)
            else:
                talk = document(rng, words, most_shots=stage.most_shots)
            pool.append(encode(tokenizer, talk))
        pool.sort(key=lambda talk: len(talk[0]))
        rows: list[tuple[list[int], list[bool]]] = []
        grouped = []
        for ids, answers in pool:
            if rows and (len(rows) + 1) * len(ids) > stage.batch_tokens:
                grouped.append(rows)
                rows = []
            rows.append((ids, answers))
        grouped.append(rows)
        random.Random(f"{seed}-order-{first}").shuffle(grouped)
        for place, rows in enumerate(grouped):
            rng = random.Random(f"{seed}-{first}-{place}")
            yield first, place, collate(rows, tokenizer.pad_token_id, rng)
        first += POOL


def collate(rows: list[tuple[list[int], list[bool]]], pad: int, rng: random.Random) -> Batch:
    """Return talks as one padded batch."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad)
    learnt, weights = [], []
    for row, (tokens, answers) in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        for place in range(1, len(tokens)):
            if answers[place] or rng.random() < OTHER_SHARE:
                learnt.append(row * length + place - 1)
                weights.append(1.0 if answers[place] else OTHER_WEIGHT)
    read = sum(len(tokens) for tokens, _ in rows)
    return Batch(ids, torch.tensor(learnt), torch.tensor(weights), read)
