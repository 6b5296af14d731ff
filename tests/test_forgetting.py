"""The forgetting probe: what it is made of, and what it finds in adapters."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_nkr import RECORDS

from training.backbone import Backbone
from training.forgetting import Forgetting, Limits, measure
from training.mount import mount
from training.probe import AT_ONCE, read_probe
from training.scoring import fold
from training.sft import SFTSettings, TrainReport, train
from training.trainer.replay import replay

pytest_plugins = ("tiny_nkr",)

PROBE = read_probe()[:12]


def changed(trained: TrainReport, folder: Path, factor: float) -> Path:
    """Return a copy of an adapter with every tensor multiplied, or random where it was zero."""
    weights = load_file(trained.adapter / "adapter_model.safetensors")
    folder.mkdir()
    for path in trained.adapter.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    save_file({k: v * factor for k, v in weights.items()}, folder / "adapter_model.safetensors")
    return folder


def test_the_probe_is_fixed_and_its_answers_stand_in_their_contexts() -> None:
    probe = read_probe()
    assert len(probe) >= 200
    assert len({fold(item.answer) for item in probe}) >= 100
    assert len({item.context for item in probe}) == len(probe)
    assert all(item.answer in item.context for item in probe)


def test_what_is_replayed_is_never_asked_by_the_probe() -> None:
    found = replay(400, seed=0)
    assert len(found) == 400
    assert not {item.context for item in found} & {item.context for item in read_probe()}
    assert found == replay(400, seed=0) != replay(400, seed=1)
    assert all(item.answer in item.context for item in found)


def test_an_adapter_of_zeros_forgets_nothing(
    backbone: Backbone, trained: TrainReport, tmp_path: Path
) -> None:
    found = measure(mount(backbone, changed(trained, tmp_path / "zero", 0.0)), PROBE)
    assert found.prompts == len(PROBE)
    assert found.kl == pytest.approx(0.0, abs=1e-6)
    assert (found.accuracy_lost, found.unchanged) == (0.0, 1.0)
    assert found.exceeded(Limits()) == []


def test_an_adapter_that_overwrites_the_backbone_is_past_every_limit_of_its_own(
    backbone: Backbone, tmp_path: Path
) -> None:
    settings = SFTSettings(epochs=240, learning_rate=1e-2, replay_share=0.0)
    alone = train(backbone, RECORDS, tmp_path, settings)
    found = measure(mount(backbone, changed(alone, tmp_path / "loud", 30.0)), PROBE)
    # A backbone of random weights is sure of nothing, so that there is little to diverge from.
    assert found.kl > 0.01
    assert found.unchanged < 0.5
    assert len(found.exceeded(Limits(kl=0.01))) == 2


def test_a_probe_that_is_cut_short_tells_of_what_was_asked(
    backbone: Backbone, trained: TrainReport
) -> None:
    mounted = mount(backbone, trained.adapter)
    whole = read_probe()[: 2 * AT_ONCE + 1]
    asked: list[int] = []

    def twice(count: int) -> bool:
        asked.append(count)
        return len(asked) < 2

    found = measure(mounted, whole, on_batch=twice)
    assert asked == [AT_ONCE, 2 * AT_ONCE]
    assert found == measure(mounted, whole[: 2 * AT_ONCE])


def test_limits_are_told_one_by_one() -> None:
    found = Forgetting(
        prompts=10, right_blind=0.9, right_mounted=0.8, accuracy_lost=0.1, kl=0.2, unchanged=0.9
    )
    (lost,) = found.exceeded(Limits())
    assert "0.100" in lost
    assert found.exceeded(Limits(accuracy_lost=0.2)) == []
    assert len(found.exceeded(Limits(accuracy_lost=0.0, kl=0.1, unchanged=0.95))) == 3


def test_log_probabilities_are_those_of_the_answer(
    backbone: Backbone, trained: TrainReport
) -> None:
    mounted = mount(backbone, trained.adapter)
    record = RECORDS[0]
    (table,) = mounted.logprobs([record.question], [record.answer])
    ids = backbone.tokenizer(record.answer, add_special_tokens=False)["input_ids"]
    assert torch.allclose(table.exp().sum(-1), torch.ones(len(table)), atol=1e-4)
    assert table.argmax(-1).tolist()[: len(ids)] == ids, "it knows this answer by heart"
    (blind,) = mounted.blind.logprobs([record.question], [record.answer])
    assert not torch.allclose(blind, table, atol=0.1)
    together = mounted.logprobs([r.question for r in RECORDS], [r.answer for r in RECORDS])
    assert [len(one) for one in together] != [len(table)] * len(RECORDS), "some are longer"
    assert torch.allclose(together[0], table, atol=1e-3)


def test_training_goes_on_from_an_adapter_and_leaves_it_as_it_was(
    backbone: Backbone, trained: TrainReport, tmp_path: Path
) -> None:
    before = (trained.adapter / "adapter_model.safetensors").read_bytes()
    settings = SFTSettings(epochs=1, learning_rate=1e-9, replay_share=0.4)
    again = train(backbone, RECORDS, tmp_path, settings, start=trained.adapter)
    assert (trained.adapter / "adapter_model.safetensors").read_bytes() == before
    assert again.records == len(RECORDS)
    assert (again.adapter / "adapter_model.safetensors").read_bytes() != before
    old, new = (
        load_file(p / "adapter_model.safetensors") for p in (trained.adapter, again.adapter)
    )
    assert all(torch.allclose(old[name], new[name], atol=1e-4) for name in old)
