"""The GPU benchmark: all of its code with a tiny backbone, on the CPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from evals import gpu, gpu_answering
from evals.gpu_backbone import build


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evals.gpu", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: There is no CUDA device here")
    assert not done.stdout


def test_every_part_is_measured(tmp_path: Path) -> None:
    noted: list[int] = []
    figures = gpu.measure(True, lambda told: noted.append(len(told)))
    assert noted == sorted(noted)
    parts = ("training", "mounting", "answering", "again", "reading")
    assert all("failed" not in figures[part] for part in parts), figures
    training = figures["training"]
    assert training["ours"]["tokens_per_step"] > 0
    assert training["trl"]["tokens_per_second"] > 0
    assert figures["again"]["same_tokens"]
    assert not figures["again"]["replayed"], "nothing is captured on a CPU"
    most = figures["reading"]["frames"][-1]
    assert 900 < most["tokens"] < 1024
    assert set(figures["ratio"]) == {"answering", "again"}


def test_frames_that_are_read_in_pieces_are_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache, the masks from the right and the deep features leave the model's answer alone."""
    model = build(tiny=True).model

    def told(at_once: int) -> torch.Tensor:
        torch.manual_seed(0)
        monkeypatch.setattr(gpu_answering, "READ_AT_ONCE", at_once)
        with torch.inference_mode():
            reader = gpu_answering.FrameReader(model, 200, side=64)
            embeds, deep = reader._encoded(6)
            reader.config._attn_implementation = "from_the_right"
            return reader._states(embeds, deep)

    pieces, whole = told(25), told(10**6)
    torch.manual_seed(0)
    with torch.inference_mode():
        reader = gpu_answering.FrameReader(model, 200, side=64)
        embeds, deep = reader._encoded(6)
        model.config.text_config._attn_implementation = "sdpa"
        of_frames = torch.arange(embeds.shape[1])[None] % 14 >= 10
        plain = model.model.language_model(
            inputs_embeds=embeds, visual_pos_masks=of_frames, deepstack_visual_embeds=deep
        ).last_hidden_state[:, -1:]
    assert torch.allclose(pieces, whole, atol=1e-5)
    assert torch.allclose(pieces, plain, atol=1e-5)
