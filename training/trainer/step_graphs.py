"""Steps of a training that are captured as CUDA graphs and replayed.

A step on few tokens is some ten thousand kernels, and to launch them one by one takes a large
backbone several times as long as they run. (CUDA graphs in PyTorch: Nguyen et al., "Accelerating
PyTorch with CUDA Graphs", 2021.)
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch

# A graph holds the addresses of all its kernels: rare sizes are not worth one.
MOST_GRAPHS = 24

Step = Callable[..., torch.Tensor]


class StepGraphs:
    """Does a step whose work hangs on its tensors' sizes alone, from a graph where it can.

    ``step`` computes a loss from some tensors, goes back through it and returns it. The first step
    of a size is done plainly. The second too, and is captured beside it: from then on such steps
    are replayed, if the graph's loss and gradients were those of the plain step.
    """

    def __init__(self, step: Step, parameters: Iterable[torch.nn.Parameter]) -> None:
        self._step = step
        self._parameters = [one for one in parameters if one.requires_grad]
        self._gradients: list[torch.Tensor] = []
        self._met: set[tuple[torch.Size, ...]] = set()
        self._graphs: dict[tuple[torch.Size, ...], _Graph] = {}
        self._fails = False

    def __call__(self, *batch: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch; its gradients are the parameters'."""
        size = tuple(part.shape for part in batch)
        graph = self._graphs.get(size)
        if graph:
            loss = graph.replay(batch)
            self._hand_out()
            return loss
        loss = self._step(*batch)
        if size in self._met and self._may_capture():
            self._capture(batch, loss)
        self._met.add(size)
        return loss

    def _may_capture(self) -> bool:
        return not self._fails and len(self._graphs) < MOST_GRAPHS

    def _capture(self, batch: tuple[torch.Tensor, ...], loss: torch.Tensor) -> None:
        """Capture a step that has just been done; its gradients stay the parameters'."""
        plain = [one.grad for one in self._parameters]
        if not self._gradients:
            self._gradients = [torch.zeros_like(one) for one in self._parameters]
        self._hand_out()
        pool = next(iter(self._graphs.values())).pool if self._graphs else None
        try:
            graph = _Graph(self._from_nothing, batch, pool)
            replayed = graph.replay(batch)
            if not all(map(_close, [replayed, *self._gradients], [loss, *plain])):
                raise RuntimeError("a captured step had other gradients than a plain one")
            self._graphs[tuple(part.shape for part in batch)] = graph
        except RuntimeError as error:
            # A class of backbone may wait for the GPU in its forward pass.
            self._fails = True
            logging.getLogger(__name__).warning(
                "Steps of this backbone cannot be captured, and are done one kernel at a time: %s",
                str(error).splitlines()[0],
            )
        for one, gradient in zip(self._parameters, plain, strict=True):
            one.grad = gradient

    def _from_nothing(self, *batch: torch.Tensor) -> torch.Tensor:
        torch._foreach_zero_(self._gradients)
        return self._step(*batch)

    def _hand_out(self) -> None:
        """Give the parameters the gradients that graphs write to: trainers drop them each step."""
        for one, gradient in zip(self._parameters, self._gradients, strict=True):
            one.grad = gradient


class _Graph:
    """One captured step, with the tensors that it reads and the loss that it writes."""

    def __init__(
        self,
        step: Step,
        batch: tuple[torch.Tensor, ...],
        pool: Any,
    ) -> None:
        self._batch = tuple(part.clone() for part in batch)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool):
            self._loss = step(*self._batch)
        self.pool = self._graph.pool()

    def replay(self, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        for kept, given in zip(self._batch, batch, strict=True):
            kept.copy_(given)
        self._graph.replay()
        # The next graph may write over it.
        return self._loss.clone()


def _close(one: torch.Tensor, other: torch.Tensor | None) -> bool:
    """Return whether two tensors differ by no more than the order of sums may change them."""
    expected = torch.zeros_like(one) if other is None else other
    difference, size = (one - expected).norm(), expected.norm()
    return bool(difference <= 0.05 * size + 1e-6)
