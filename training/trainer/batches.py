"""Which records a step learns together, and what of it lies in memory at once."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

# What is gone back through at once, with its padding: what it computes lies in memory meanwhile.
MOST_TOKENS = 1536


class SimilarLengths(torch.utils.data.Sampler[int]):
    """Every row once an epoch, in shuffled batches of rows of similar length.

    ``exercises`` tells which rows are exercises: they have batches of their own, since a few of
    them, weighing what they do, would drown the records that are learnt in the same step. The order
    depends on the seed and the epoch only, so a resumed run sees what an unbroken one would have
    seen.
    """

    def __init__(
        self, lengths: Sequence[int], exercises: Sequence[bool], batch_size: int, seed: int
    ) -> None:
        self.lengths = torch.tensor(lengths, dtype=torch.float)
        self.exercises = torch.tensor(exercises)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is given next; the trainer calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        # The noise lets a record meet other neighbours in every epoch.
        noise = torch.rand(len(self), generator=generator) * 0.1 + 0.95
        order = (self.lengths * noise).argsort()
        full: list[torch.Tensor] = []
        rest: list[torch.Tensor] = []
        for rows in (order[~self.exercises[order]], order[self.exercises[order]]):
            batches = rows.split(self.batch_size)
            whole = len(rows) // self.batch_size
            full += batches[:whole]
            rest += batches[whole:]
        # The trainer cuts batches by counting, so what fills none has to be the last.
        shuffled = [full[i] for i in torch.randperm(len(full), generator=generator).tolist()]
        for batch in [*shuffled, *rest]:
            yield from batch.tolist()


def pieces(inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Split a padded batch into even pieces of few tokens, and of a row at least."""
    rows, width = inputs["input_ids"].shape
    even = math.ceil(rows / math.ceil(rows * width / MOST_TOKENS))
    parts = {name: part.split(even) for name, part in inputs.items() if torch.is_tensor(part)}
    for piece in zip(*parts.values(), strict=True):
        yield dict(zip(parts, piece, strict=True))
