"""Deep supervision of pretraining: what binds the facts of one shot is asked for half-way.

Facts of one shot have nothing in common but the part of the sheet that they stand in. Left to find
that out from answers alone, a small model kept to guessing among the values of the right kind.
Three linear heads that only pretraining has ask for the number of a part: of a sheet's tokens,
which they are in; one layer on, of a question's words that only one part has, which it is; and yet
one layer on, of the tokens that open an answer, from which it is read. What is left to the last
layers is to fetch it. (Deeply-supervised nets: Lee et al., arXiv 1409.5185.)
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from training.pretraining.curriculum import Batch

SHEET_LAYER, WORD_LAYER, OPENING_LAYER = 2, 3, 4
MOST_PARTS = 8


class PartProbe(nn.Module):
    """Tells the number of a part, 1 to `MOST_PARTS`, from hidden states [tokens, width]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.sheet, self.word, self.opening = (nn.Linear(width, MOST_PARTS + 1) for _ in range(3))

    def forward(self, states: Sequence[torch.Tensor], batch: Batch) -> list[torch.Tensor]:
        """Return the mean loss of each head over its tokens.

        ``states`` are the layers' outputs [rows, length, width].
        """
        losses = []
        for layer, head, asked in (
            (SHEET_LAYER, self.sheet, batch.of_sheet),
            (WORD_LAYER, self.word, batch.of_question),
            (OPENING_LAYER, self.opening, batch.opens & (batch.parts > 0)),
        ):
            state = states[layer - 1][asked].float()
            told = head(F.rms_norm(state, state.shape[-1:]))
            losses.append(
                F.cross_entropy(told, batch.parts[asked], reduction="sum") / max(1, len(told))
            )
        return losses
