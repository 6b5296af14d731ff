"""Muon: momentum whose update of a matrix is made orthogonal (Jordan et al., 2024).

`torch.optim.Muon` works in bfloat16 whatever one says, which takes a CPU without it fifty times as
long.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch

# The quintic Newton-Schulz iteration's coefficients and steps, as Muon's authors chose them.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


class Muon(torch.optim.Optimizer):
    """Updates matrices [rows, columns] by their orthogonalised Nesterov momentum.

    The update is scaled to the size of an AdamW update (0.2 root mean square), so that both take
    one learning rate (Liu et al., arXiv 2502.16982). Weight decay is decoupled. ``dtype`` is what
    the updates are computed in; all that is kept is float32.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float,
        weight_decay: float = 0.05,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            alike: defaultdict[torch.Size, list[torch.Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike[matrix.shape].append(matrix)
            for (rows, columns), matrices in alike.items():
                updates = orthogonal(
                    torch.stack([self._momentum(m, group) for m in matrices]), self.dtype
                )
                size = 0.2 * max(rows, columns) ** 0.5 * group["lr"]
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(update, alpha=-size)

    def _momentum(self, matrix: torch.Tensor, group: dict) -> torch.Tensor:
        gradient = matrix.grad
        assert gradient is not None
        kept = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
        kept.lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(kept, group["momentum"])


def orthogonal(stack: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Return the nearest orthogonal matrices of a stack [n, rows, columns], roughly.

    ``dtype`` is what it computes in; the result is in float32.
    """
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(dtype)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).float()
