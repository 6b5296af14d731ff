"""Replay in training: its rows are learnt, counted apart from the corpus, and fingerprinted."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_nkr import RECORDS

import training.sft
from training.backbone import Backbone
from training.forgetting import measure
from training.mount import mount
from training.probe import Reading, read_probe
from training.sft import SFTSettings, train
from training.trainer.replay import replay

pytest_plugins = ("tiny_nkr",)

# Five records and five replayed exercises, two to a batch.
HALF = SFTSettings(epochs=1, batch_size=2, replay_share=1.0, save_every=2)


def other(count: int, seed: int) -> list[Reading]:
    return replay(count, seed + 1)


def test_replayed_rows_count_for_the_steps_and_not_for_the_records(
    backbone: Backbone, tmp_path: Path
) -> None:
    without = train(backbone, RECORDS, tmp_path / "without", replace(HALF, replay_share=0.0))
    with_replay = train(backbone, RECORDS, tmp_path / "with", HALF)
    assert (without.records, without.steps) == (len(RECORDS), 3)
    assert (with_replay.records, with_replay.steps) == (len(RECORDS), 5)
    assert with_replay.tokens > without.tokens


def test_what_is_replayed_is_what_is_learnt(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = train(backbone, RECORDS, tmp_path / "one", HALF)
    monkeypatch.setattr(training.sft, "replay", other)
    two = train(backbone, RECORDS, tmp_path / "two", HALF)
    before, after = (load_file(r.adapter / "adapter_model.safetensors") for r in (one, two))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_a_checkpoint_of_another_replay_is_not_gone_on_from(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(backbone, RECORDS, tmp_path, HALF)
    seen: list[int] = []
    train(backbone, RECORDS, tmp_path, HALF, on_step=lambda step, *_: seen.append(step))
    assert seen == [], "the same replay was learnt to its end"
    monkeypatch.setattr(training.sft, "replay", other)
    train(backbone, RECORDS, tmp_path, HALF, on_step=lambda step, *_: seen.append(step))
    assert seen == [1, 2, 3, 4, 5]


def test_the_probe_holds_few_log_probabilities_at_one_time(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = mount(backbone, train(backbone, RECORDS, tmp_path, HALF).adapter)
    probe = read_probe()[:7]
    whole = measure(mounted, probe)
    assert whole.kl > 0
    sizes: list[int] = []
    plain = mounted.logprobs
    monkeypatch.setattr("training.forgetting.AT_ONCE", 3)
    monkeypatch.setattr(
        mounted, "logprobs", lambda turns, told: sizes.append(len(turns)) or plain(turns, told)
    )
    again = measure(mounted, probe)
    assert replace(again, kl=whole.kl) == whole
    assert again.kl == pytest.approx(whole.kl, rel=1e-2)
    assert sizes == [3, 3, 1]
