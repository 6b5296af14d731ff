"""Records packed into one row without padding, of which none sees another.

Where the layers do most of the work, on a GPU, a token of padding costs as much as any other.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Packed:
    """One row of ``ids`` and ``places`` [1, tokens]; what each token sees [1, 1, tokens, tokens].

    ``answers`` [tokens] tells of each token whether the next one is learnt.
    """

    ids: "torch.Tensor"
    places: "torch.Tensor"
    visible: "torch.Tensor"
    answers: "torch.Tensor"


def pack(ids: "torch.Tensor", mask: "torch.Tensor", answers: "torch.Tensor") -> Packed:
    """Pack rows [rows, length], of which ``answers`` [rows, length - 1] tells what is learnt.

    The mask is given in full: what models make of positions that begin anew differs, and
    Qwen2.5-VL, for one, lets records see each other.
    """
    import torch
    import torch.nn.functional as F

    kept = mask.bool()
    rows = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)[kept]
    order = torch.arange(len(rows), device=ids.device)
    visible = (rows[:, None] == rows) & (order[:, None] >= order)
    return Packed(
        ids[kept][None],
        (kept.cumsum(dim=1) - 1)[kept][None],
        visible[None, None],
        F.pad(answers, (0, 1))[kept],
    )
