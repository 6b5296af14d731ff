"""Records packed into one row without padding, of which none sees another.

Where the layers do most of the work, on a GPU, a token of padding costs as much as any other.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# Kinds of layers in which a token reads what its mask lets it see, and nothing else.
_MASKED = frozenset(("full_attention", "sliding_attention", "chunked_attention"))

# Sizes that a packed step is rounded up to, so that few differ: those of its tokens and answers.
TOKENS, ANSWERS = 128, 256


def can_pack(model: Any) -> bool:
    """Say whether a model keeps packed records apart.

    Linear attention and convolutions carry a state along the row, past the end of a record.
    """
    layers = getattr(model.config.get_text_config(), "layer_types", None) or ()
    return set(layers) <= _MASKED


@dataclass(frozen=True)
class Packed:
    """One row of ``ids`` and ``places`` [1, tokens], and of each token's record's number [tokens].

    ``answers`` [n] are the indices of the tokens whose next one is learnt.
    """

    ids: "torch.Tensor"
    places: "torch.Tensor"
    records: "torch.Tensor"
    answers: "torch.Tensor"

    def visible(self) -> "torch.Tensor":
        """Return what each token sees [1, 1, tokens, tokens].

        The mask is given in full: what models make of positions that begin anew differs, and
        Qwen2.5-VL, for one, lets records see each other.
        """
        import torch

        order = torch.arange(len(self.records), device=self.records.device)
        seen = (self.records[:, None] == self.records) & (order[:, None] >= order)
        return seen[None, None]

    def rounded(self) -> "Packed":
        """Return the same with tokens of no record added, and answers of the first token."""
        from torch.nn.functional import pad

        more = -self.ids.shape[1] % TOKENS
        return Packed(
            pad(self.ids, (0, more)),
            pad(self.places, (0, more)),
            pad(self.records, (0, more), value=-1),
            pad(self.answers, (0, -len(self.answers) % ANSWERS)),
        )


def pack(ids: "torch.Tensor", mask: "torch.Tensor", answers: "torch.Tensor") -> Packed:
    """Pack rows [rows, length], of which ``answers`` [rows, length - 1] tells what is learnt."""
    import torch
    from torch.nn.functional import pad

    kept = mask.bool()
    rows = torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)[kept]
    return Packed(
        ids[kept][None],
        (kept.cumsum(dim=1) - 1)[kept][None],
        rows,
        pad(answers, (0, 1))[kept].nonzero()[:, 0],
    )
