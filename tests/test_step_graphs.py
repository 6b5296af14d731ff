"""When a step is captured and believed; a stand-in for the GPU's graph does the step again."""

from collections.abc import Callable

import pytest
import torch

from training.trainer import step_graphs
from training.trainer.step_graphs import StepGraphs

Batch = tuple[torch.Tensor, ...]


class Again:
    """What a graph does, one kernel at a time; ``factor`` spoils the gradients."""

    factor = 1.0
    pool = (0, 0)

    def __init__(self, step: Callable[..., torch.Tensor], batch: Batch, pool: object) -> None:
        self._step, self._buffer = step, weight.grad
        self.replayed = 0
        made.append(self)

    def replay(self, batch: Batch) -> torch.Tensor:
        """Write to the tensors that were there at the capture, whatever is there now."""
        self.replayed += 1
        weight.grad = self._buffer
        loss = self._step(*batch)
        assert self._buffer is not None
        self._buffer *= self.factor
        weight.grad = None
        return loss


made: list[Again] = []
weight = torch.nn.Parameter(torch.ones(3))


def _step(batch: torch.Tensor) -> torch.Tensor:
    loss = (weight * batch).sum()
    loss.backward()
    return loss.detach()


def _run(steps: StepGraphs) -> None:
    for number in range(1, 13):
        rows = 1 + number % 2
        weight.grad = None
        loss = steps(torch.full((rows, 3), float(number)))
        assert float(loss) == rows * 3 * number
        assert weight.grad is not None
        assert weight.grad.tolist() == [float(rows * number)] * 3


@pytest.fixture(autouse=True)
def graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Capture with the stand-in."""
    made.clear()
    monkeypatch.setattr(step_graphs, "_Graph", Again)
    monkeypatch.setattr(Again, "factor", 1.0)


def test_the_second_step_of_a_size_is_captured_and_later_ones_replayed() -> None:
    _run(StepGraphs(_step, [weight]))
    assert [graph.replayed for graph in made] == [5, 5], "of six steps a size"


def test_sizes_beyond_the_bound_are_done_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_graphs, "MOST_GRAPHS", 1)
    _run(StepGraphs(_step, [weight]))
    assert len(made) == 1


def test_a_graph_with_other_gradients_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Again, "factor", 1.2)
    _run(StepGraphs(_step, [weight]))
    assert [graph.replayed for graph in made] == [1]
    assert "other gradients" in caplog.text


def test_what_cannot_be_captured_is_done_plainly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(step_graphs, "_Graph", fails)
    _run(StepGraphs(_step, [weight]))
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
