"""Guidance of one attention head in pretraining: a question's word looks for itself in the sheet.

To answer what else belongs to the slide that a question names, the name has to be found in the
sheet first. A head that does so came late or not at all from answers alone; told where to look, it
comes in some hundred steps. Only pretraining guides it. (Supervised attention: Mi et al., 2016.)
"""

from typing import Any

import torch

from training.pretraining.curriculum import Batch

LAYER = 3


def word_guide(
    layer: Any, hidden: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor], batch: Batch
) -> torch.Tensor:
    """Return the mean surprise that a layer's first head looks at the same word in the sheet.

    ``hidden`` [rows, length, width] is what goes into the layer. Asked are the words of questions
    that only one part of the sheet has.
    """
    from transformers.models.qwen3_vl.modeling_qwen3_vl import apply_rotary_pos_emb

    attention = layer.self_attn
    size = attention.head_dim
    normed = layer.input_layernorm(hidden)
    queries = attention.q_norm(normed @ attention.q_proj.weight[:size].T)[:, None]
    keys = attention.k_norm(normed @ attention.k_proj.weight[:size].T)[:, None]
    queries, keys = (turned[:, 0] for turned in apply_rotary_pos_emb(queries, keys, *rotary))
    rows, places = batch.of_question.nonzero(as_tuple=True)
    scores = torch.einsum("nd,nld->nl", queries[rows, places], keys[rows]) * attention.scaling
    scores = scores.float().masked_fill(~batch.visible[rows, 0, places], -torch.inf)
    same = batch.of_sheet[rows] & (batch.ids[rows] == batch.ids[rows, places][:, None])
    found = scores.masked_fill(~same, -torch.inf).logsumexp(1)
    return (scores.logsumexp(1) - found).sum() / max(1, len(rows))
