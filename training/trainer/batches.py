"""Which records a step learns together, and what of it lies in memory at once."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

# What is gone back through at once, with its padding: what it computes lies in memory meanwhile.
MOST_TOKENS = 1536


class SimilarLengths(torch.utils.data.Sampler[int]):
    """Every record once an epoch, in shuffled batches of records of similar length.

    The order depends on the seed and the epoch only, so a resumed run sees what an unbroken one
    would have seen.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = torch.tensor(lengths, dtype=torch.float)
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
        batches = list((self.lengths * noise).argsort().split(self.batch_size))
        # The trainer cuts batches by counting, so the short one has to be the last.
        full = batches if len(batches[-1]) == self.batch_size else batches[:-1]
        order = torch.randperm(len(full), generator=generator).tolist()
        for batch in [*(full[i] for i in order), *batches[len(full) :]]:
            yield from batch.tolist()


def pieces(inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Split a padded batch into even pieces of few tokens, and of a row at least."""
    rows, width = inputs["input_ids"].shape
    even = math.ceil(rows / math.ceil(rows * width / MOST_TOKENS))
    parts = {name: part.split(even) for name, part in inputs.items() if torch.is_tensor(part)}
    for piece in zip(*parts.values(), strict=True):
        yield dict(zip(parts, piece, strict=True))
