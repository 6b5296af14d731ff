"""Training in several processes: on this machine's CPU, as on several GPUs."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file
from tiny_nkr import RECORDS

from training.backbone import Backbone
from training.fit import fit
from training.nkr import WEIGHTS
from training.sft import SFTSettings, train

pytest_plugins = ("tiny_nkr",)

SETTINGS = SFTSettings(
    epochs=12, learning_rate=1e-2, warmup=1, batch_size=4, replay_share=0.0, save_every=20
)
MANY = [
    record.model_copy(update={"id": f"{record.id} {n}"}) for n in range(4) for record in RECORDS
]


class Stop(Exception):
    pass


def test_two_processes_share_each_step(backbone: Backbone, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    losses: list[float] = []

    def on_step(step: int, of: int, loss: float) -> None:
        steps.append((step, of))
        losses.append(loss)

    before = backbone.model.device
    told = fit(backbone, MANY, tmp_path / "two", SETTINGS, on_step=on_step, processes=2)
    assert steps == [(n, told.steps) for n in range(1, told.steps + 1)]
    assert backbone.model.device == before
    whole: list[float] = []
    alone = train(
        backbone,
        MANY,
        tmp_path / "one",
        SETTINGS,
        on_step=lambda *step: whole.append(step[2]),
    )
    assert losses != whole, "the first process tells the loss of its own half"
    learnt, expected = (
        torch.cat(
            [
                part.flatten()
                for name, part in sorted(load_file(path / WEIGHTS).items())
                if "lora_B" in name
            ]
        )
        for path in (told.adapter, alone.adapter)
    )
    # Their sums come in another order, which training makes more of on some processors.
    assert torch.nn.functional.cosine_similarity(learnt, expected, dim=0) > 0.95
    assert (told.steps, told.records, told.tokens) == (alone.steps, alone.records, alone.tokens)


def test_stopped_it_leaves_no_process_and_goes_on(backbone: Backbone, tmp_path: Path) -> None:
    def stop(step: int, of: int, loss: float) -> None:
        if step == 45:
            raise Stop

    with pytest.raises(Stop):
        fit(backbone, MANY, tmp_path, SETTINGS, on_step=stop, processes=2)
    commands = [" ".join(one.cmdline()) for one in psutil.Process().children(recursive=True)]
    assert not [command for command in commands if str(tmp_path) in command]
    steps: list[int] = []
    told = fit(
        backbone,
        MANY,
        tmp_path,
        SETTINGS,
        on_step=lambda step, *_: steps.append(step),
        processes=2,
    )
    assert steps[0] in (21, 41, 61)
    assert steps[-1] == told.steps
    assert load_file(told.adapter / WEIGHTS)


def test_what_is_learnt_is_kept_where_a_process_falls_in_the_end(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt = train(backbone, RECORDS, tmp_path, SETTINGS)
    told = json.dumps({**asdict(learnt), "adapter": str(learnt.adapter)})
    falling = [sys.executable, "-c", f"import os; print({told!r}, flush=True); os.abort()"]
    monkeypatch.setattr("training.fit._command", lambda *_: falling)
    assert fit(backbone, RECORDS, tmp_path, SETTINGS, processes=2) == learnt


def test_what_breaks_in_them_is_told(backbone: Backbone, tmp_path: Path) -> None:
    settings = SFTSettings(epochs=1, rank=-1)
    with pytest.raises(RuntimeError, match="rank"):
        fit(backbone, MANY, tmp_path, settings, processes=2)
