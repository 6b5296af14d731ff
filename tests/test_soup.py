"""The mean of pretraining runs: real checkpoints, from the command to the file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoProcessor

from training import soup
from training.backbone import EMBEDDED
from training.pretrain import CHECKPOINT
from training.pretraining.tiny_vlm import Size, build_model

LAYER = "model.language_model.layers.5.mlp.down_proj.weight"


def test_the_saved_model_is_the_mean_of_the_runs(tmp_path: Path) -> None:
    processor = AutoProcessor.from_pretrained(EMBEDDED)
    weights = []
    for seed in (1, 2):
        work = tmp_path / f"run-{seed}"
        processor.save_pretrained(work)
        state = build_model(processor.tokenizer, Size(), seed).state_dict()
        torch.save({"model": state, "tokens": seed}, work / CHECKPOINT)
        weights.append(state[LAYER])
    out = tmp_path / "out"
    assert soup.main([str(tmp_path / "run-1"), str(tmp_path / "run-2"), "--out", str(out)]) == 0
    found = load_file(out / "model.safetensors")[LAYER]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(found, ((weights[0] + weights[1]) / 2).to(torch.bfloat16))


def test_a_folder_without_checkpoint_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        soup.main([str(tmp_path), "--out", str(out)])
    assert ended.value.code == 2
    assert f"{tmp_path} has no {CHECKPOINT}" in capsys.readouterr().err
    assert not out.exists()
