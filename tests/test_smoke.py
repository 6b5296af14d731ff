"""What the smoke test judges by: zeros in the adapter, folded answers, broken commands."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from evals import commands, smoke
from evals.questions import Question
from training.manifest import to_bytes
from training.nkr import MANIFEST, WEIGHTS, MadeFor, Manifest, Taught, Video, read_nkr


def test_a_zeroed_nkr_is_still_read_and_keeps_names_shapes_types(tmp_path: Path) -> None:
    path = tmp_path / WEIGHTS
    weights = {"a.lora_A.weight": torch.ones(4, 8), "a.lora_B.weight": torch.ones(8, 4).bfloat16()}
    save_file(weights, path, {"format": "pt"})
    manifest = Manifest(
        created="2026-01-01T00:00:00+00:00",
        video=Video(name="talk.mp4", sha256="0" * 64, seconds=60, width=640, height=360),
        backbone=MadeFor(name="nkr-embedded-v7", revision="0" * 64),
        corpus=Taught(sha256="0" * 64, counts={}),
        scores={},
        seed=0,
        versions={},
        files={WEIGHTS: hashlib.sha256(path.read_bytes()).hexdigest()},
    )
    (tmp_path / MANIFEST).write_bytes(to_bytes(manifest))
    smoke.zero_adapter(tmp_path)
    assert read_nkr(tmp_path, weights_only=True).manifest.video == manifest.video
    with safe_open(path, "pt") as stored:
        assert stored.metadata() == {"format": "pt"}
        assert set(stored.keys()) == set(weights)
        for name, weight in weights.items():
            zeros = stored.get_tensor(name)
            assert (zeros.shape, zeros.dtype) == (weight.shape, weight.dtype)
            assert not zeros.any()


@pytest.mark.parametrize(
    ("answer", "right"),
    [("the lamp", True), ("It says: The Lamp.", True), ("The Keepers", False), ("", False)],
)
def test_an_answer_is_right_if_it_contains_what_the_video_shows(answer: str, right: bool) -> None:
    assert smoke.is_right(Question("What is on screen?", "The Lamp"), answer) is right


def test_a_video_that_cannot_be_distilled_is_reported_and_fails_the_run(tmp_path: Path) -> None:
    missing = tmp_path / "missing.mp4"
    figures = smoke.run({missing: ()}, tmp_path / "runs")
    assert "exit code 2" in figures["videos"]["missing.mp4"]["error"]
    assert not smoke.passed(figures)


def test_a_failed_command_carries_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(commands.CommandFailed) as failure:
        commands.distill(tmp_path, tmp_path / "runs")
    assert failure.value.code == 2


@pytest.mark.parametrize(
    ("video", "good"),
    [({"zeroed_is_blind": True}, True), ({"zeroed_is_blind": False}, False), ({}, True)],
)
def test_only_a_broken_adapter_fails_the_run(video: dict[str, bool], good: bool) -> None:
    assert smoke.passed({"videos": {"sample.mp4": video}}) is good
