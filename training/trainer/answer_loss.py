"""The cross-entropy of answers' tokens, without ever holding the logits of all of them.

With a vocabulary of 150,000 they would be the largest tensor of a training. They are computed in
chunks, and again in the backward pass. (Cut cross-entropy: Wijmans et al., arXiv 2411.09009, which
goes further with a kernel of its own.)
"""

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

# Logits that are held at once: 256 MB in float32.
MOST_LOGITS = 1 << 26


def answer_losses(
    head: Any,
    hidden: torch.Tensor,
    labels: torch.Tensor,
    tokens: torch.Tensor,
    shares: torch.Tensor,
) -> torch.Tensor:
    """Return the loss of each token [n] from the last hidden states [n, width].

    Where the ``shares`` [n, k] of a teacher's likeliest ``tokens`` [n, k] are not all zero, it is
    the cross-entropy with them, elsewhere with the label [n].
    """
    at_once = max(1, MOST_LOGITS // head.out_features)
    if len(hidden) <= at_once:
        return _losses(head, hidden, labels, tokens, shares)
    pieces = zip(*(part.split(at_once) for part in (hidden, labels, tokens, shares)), strict=True)
    # Nothing is drawn at random, and a CUDA graph cannot ask for the generator's state.
    how: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}
    return torch.cat([checkpoint(_losses, head, *piece, **how) for piece in pieces])


def _losses(
    head: Any,
    hidden: torch.Tensor,
    labels: torch.Tensor,
    tokens: torch.Tensor,
    shares: torch.Tensor,
) -> torch.Tensor:
    logits = head(hidden).float()
    losses = cross_entropy(logits, labels, reduction="none")
    if not tokens.shape[1]:
        return losses
    told = logits.log_softmax(dim=-1).gather(1, tokens)
    return torch.where(shares.any(dim=1), -(shares * told).sum(dim=1), losses)
