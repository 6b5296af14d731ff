"""Backbones of each class that users have, tiny and at random weights: the whole path."""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from tiny_models import CLASSES
from tiny_nkr import PAIRS, RECORDS, publish_tiny
from transformers import AutoModelForImageTextToText

from training.backbone import Backbone, load_backbone
from training.mount import mount
from training.nkr import read_nkr
from training.sft import SFTSettings, train
from training.trainer import lora_trainer
from training.trainer.lora_trainer import LoraTrainer
from training.trainer.packed_trainer import PackedTrainer

STEPS = SFTSettings(epochs=8, warmup=1, learning_rate=1e-2, replay_share=0.0)
QUESTIONS = [question for question, _ in PAIRS]


@pytest.fixture(params=CLASSES)
def backbone(request: pytest.FixtureRequest, tmp_path: Path) -> Backbone:
    """A model of the class, loaded from the folder that holds it."""
    folder = tmp_path / "model"
    CLASSES[request.param](folder)
    found = load_backbone(str(folder), device="cpu", backbone_name=f"someone/{request.param}")
    assert type(found.model).__name__ == request.param
    return found


def test_it_learns_is_published_mounted_and_asked(backbone: Backbone, tmp_path: Path) -> None:
    before = {name: weight.clone() for name, weight in backbone.model.state_dict().items()}
    losses: list[float] = []
    told = train(
        backbone, RECORDS, tmp_path / "train", STEPS, on_step=lambda *step: losses.append(step[2])
    )
    assert losses[-1] < losses[0] - 0.1
    after = backbone.model.state_dict()
    assert set(after) == set(before), "bare again"
    assert all(torch.equal(after[name], weight) for name, weight in before.items())

    nkr = publish_tiny(tmp_path / "nkrs" / "talk", told, backbone)
    config = json.loads((nkr.folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == backbone.name
    mounted = mount(backbone, read_nkr(nkr.folder, weights_only=False))
    adapted = [name for name, _ in mounted._answerer._model.named_modules() if "lora_A" in name]
    assert adapted
    assert not [name for name in adapted if "vis" in name], "language layers alone"
    assert len(mounted.answer(QUESTIONS)) == len(QUESTIONS)
    turns, answers = zip(*PAIRS, strict=True)
    known, blind = (answerer.logprobs(turns, answers) for answerer in (mounted, mounted.blind))
    assert not any(torch.allclose(*tables) for tables in zip(known, blind, strict=True))


def test_peft_alone_loads_its_nkr(backbone: Backbone, tmp_path: Path) -> None:
    told = train(backbone, RECORDS, tmp_path / "train", STEPS)
    nkr = publish_tiny(tmp_path / "nkrs" / "talk", told, backbone)
    ids = torch.tensor([[5, 6, 7, 8]])
    ours = mount(backbone, nkr)._answerer._model
    plain = AutoModelForImageTextToText.from_pretrained(tmp_path / "model")
    theirs = PeftModel.from_pretrained(plain, nkr.folder).eval()
    with torch.no_grad():
        logits = [model(input_ids=ids).logits for model in (ours, theirs)]
    assert torch.allclose(*logits, atol=1e-5)


def test_packed_and_recomputed_it_learns_the_same(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU does: no padding, activations computed again."""

    def losses(folder: str, **settings: bool) -> list[float]:
        found: list[float] = []
        chosen = SFTSettings(**{**vars(STEPS), "replay_share": 1.0, **settings})
        train(
            backbone,
            RECORDS,
            tmp_path / folder,
            chosen,
            on_step=lambda *told: found.append(told[2]),
        )
        return found

    padded = losses("padded")

    class SameOrder(PackedTrainer):
        lengths = LoraTrainer.lengths

    monkeypatch.setattr(lora_trainer, "LoraTrainer", SameOrder)
    packed = losses("packed", checkpointing=True)
    assert len(packed) == len(padded) >= 3
    assert packed == pytest.approx(padded, rel=1e-3)


def test_the_vision_tower_is_loaded_where_it_sees(
    backbone: Backbone, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "model")
    capfd.readouterr()
    seeing = load_backbone(folder, device="cpu", backbone_name=backbone.name, sees=True)
    load_backbone(folder, device="cpu", backbone_name=backbone.name)
    told = capfd.readouterr()
    assert "UNEXPECTED" not in told.out + told.err, "what is not read is not complained about"
    whole, kept = seeing.model.state_dict(), backbone.model.state_dict()
    left = set(whole) - set(kept)
    assert left
    assert all("vis" in name for name in left)
    assert all(torch.equal(whole[name], kept[name]) for name in kept)
    assert seeing.revision == backbone.revision, "one NKR fits both"
