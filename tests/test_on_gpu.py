"""What a GPU does otherwise: steps and answers that are captured as CUDA graphs and replayed."""

import logging
from pathlib import Path

import pytest
import torch
from tiny_models import CLASSES
from tiny_nkr import PAIRS, RECORDS, publish_tiny, record

from training.answerer import Answerer
from training.backbone import Backbone, load_backbone
from training.corpus import Record
from training.generate import Generator
from training.mount import mount
from training.nkr import NKR
from training.rack import Rack
from training.sft import SFTSettings, train
from training.trainer import step_graphs
from training.trainer.step_graphs import StepGraphs

pytest_plugins = ("tiny_nkr",)
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
QUESTIONS = [question for question, _ in PAIRS]
OTHERS = [record(question, answer[::-1]) for question, answer in PAIRS]


@pytest.fixture
def on_gpu(backbone_folder: Path) -> Backbone:
    """The small backbone, on the GPU."""
    return load_backbone(str(backbone_folder), device="cuda", backbone_name="tiny")


def _published(backbone: Backbone, folder: Path, records: list[Record], rank: int) -> NKR:
    settings = SFTSettings(epochs=120, learning_rate=1e-2, rank=rank, alpha=2 * rank)
    return publish_tiny(folder / "nkr", train(backbone, records, folder, settings), backbone)


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_learns_the_same_step_by_step_and_replayed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    CLASSES[name](tmp_path / "model")
    backbone = load_backbone(str(tmp_path / "model"), device="cuda", backbone_name="tiny")
    settings = SFTSettings(epochs=12, warmup=1, learning_rate=1e-2, checkpointing=True, graphs=True)
    losses: dict[str, list[float]] = {"captured": [], "plain": []}
    captured: list[object] = []
    capture = step_graphs._Graph.__init__

    def noted(self: object, *given: object) -> None:
        capture(self, *given)  # type: ignore[arg-type]
        captured.append(self)

    monkeypatch.setattr(step_graphs._Graph, "__init__", noted)
    with caplog.at_level(logging.WARNING):
        for way, found in losses.items():
            monkeypatch.setattr(step_graphs, "MOST_GRAPHS", 8 if way == "captured" else 0)
            folder = tmp_path / way
            train(backbone, RECORDS, folder, settings, on_step=lambda *t, f=found: f.append(t[2]))
    assert not caplog.records
    assert len(captured) == 1
    assert losses["captured"][-1] < losses["captured"][0]
    assert losses["captured"] == pytest.approx(losses["plain"], rel=2e-2, abs=2e-2)


def test_a_step_that_waits_for_the_gpu_is_done_plainly(caplog: pytest.LogCaptureFixture) -> None:
    weight = torch.nn.Parameter(torch.ones(3, device="cuda"))

    def step(batch: torch.Tensor) -> torch.Tensor:
        loss = (weight * batch).sum()
        loss.backward()
        return loss.detach() + loss.item() * 0

    steps = StepGraphs(step, [weight])
    for number in range(1, 5):
        weight.grad = None
        assert float(steps(torch.full((3,), number, device="cuda"))) == 3 * number
        assert weight.grad is not None
        assert weight.grad.tolist() == [number] * 3
    assert len(caplog.records) == 1
    assert torch.rand(2, device="cuda").sum() > 0, "the GPU goes on"


def test_gradients_are_those_of_the_last_batch_whatever_its_size() -> None:
    weight = torch.nn.Parameter(torch.ones(3, device="cuda"))

    def step(batch: torch.Tensor) -> torch.Tensor:
        loss = (weight * batch).sum()
        loss.backward()
        return loss.detach()

    steps = StepGraphs(step, [weight])
    for number in range(1, 13):
        rows = 1 + number % 3
        weight.grad = None
        loss = steps(torch.full((rows, 3), number, device="cuda", dtype=torch.float))
        assert float(loss) == rows * 3 * number
        assert weight.grad is not None
        assert weight.grad.tolist() == [float(rows * number)] * 3


def _alone(answerer: Answerer) -> list[str]:
    """Return what is answered to one question after the other."""
    return [answerer.answer([question])[0].text for question in QUESTIONS]


def test_answers_asked_again_are_the_same_and_another_nkr_has_its_own(
    on_gpu: Backbone, tmp_path: Path
) -> None:
    nkrs = [
        _published(on_gpu, tmp_path / "first", RECORDS, rank=16),
        _published(on_gpu, tmp_path / "other", OTHERS, rank=32),
    ]
    told = []
    for nkr in nkrs:
        mounted = mount(on_gpu, nkr)
        plain = _alone(Generator(on_gpu, mounted._answerer._model))
        blind = _alone(mounted.blind)
        for _ in range(3):
            assert _alone(mounted) == plain
            assert _alone(mounted.blind) == blind
        assert mounted._answerer._replays is not None
        assert mounted._answerer._replays._decoder is not None
        told.append(plain)
    assert len({tuple(answers) for answers in (*told, blind)}) == 3

    rack = Rack(on_gpu, slots=2)
    first, other, bare = (rack.of(nkr) for nkr in (*nkrs, None))
    for _ in range(3):
        assert [_alone(first), _alone(bare)] == [told[0], blind]
    # Its rank is larger: the stacks grow after something was captured of them.
    for _ in range(3):
        assert [_alone(other), _alone(first), _alone(bare)] == [told[1], told[0], blind]
    assert rack._generator._replays is not None
    assert rack._generator._replays._decoder is not None
    rack.close()
    assert _alone(Generator(on_gpu)) == blind
