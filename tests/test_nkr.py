"""The NKR on disk: what is written, how it replaces an older one, and that damage is told."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny_nkr import publish_tiny

from training.backbone import Backbone
from training.errors import NKRError
from training.nkr import NKR, read_nkr
from training.sft import TrainReport

pytest_plugins = ("tiny_nkr",)

NEEDED = ("adapter_model.safetensors", "adapter_config.json", "nkr.json")
BESIDE = ("README.md", "evidence.jsonl", "evidence.safetensors", "SHA256SUMS")


def test_the_folder_holds_what_peft_vllm_and_we_read(nkr: NKR, trained: TrainReport) -> None:
    assert {path.name for path in nkr.folder.iterdir()} == {*NEEDED, *BESIDE}
    for name in NEEDED[:2]:
        assert (nkr.folder / name).read_bytes() == (trained.adapter / name).read_bytes()
    embeddings = load_file(nkr.folder / "evidence.safetensors")["embeddings"]
    assert embeddings.shape == (2, 384)
    assert embeddings.dtype == np.float32
    assert (nkr.folder / "evidence.jsonl").read_text().count("\n") == 2


def test_the_manifest_says_what_it_was_made_from(nkr: NKR, backbone: Backbone) -> None:
    told = json.loads((nkr.folder / "nkr.json").read_text())
    assert told["format"] == 1
    assert told["video"] == {
        "name": "talk.mp4",
        "sha256": "0" * 64,
        "seconds": 12.5,
        "width": 480,
        "height": 270,
    }
    assert told["backbone"] == {"name": "tiny", "revision": backbone.revision}
    assert told["corpus"]["counts"]["facts"] == 4
    assert told["scores"] == {"recall_check": 0.9, "lists": None}
    assert told["calibration"] is None
    assert told["versions"]["peft"]
    assert set(told["files"]) == set(NEEDED[:2])
    assert nkr.manifest == read_nkr(nkr.folder, weights_only=True).manifest


def test_the_sums_are_those_of_every_other_file(nkr: NKR) -> None:
    lines = (nkr.folder / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in nkr.folder.iterdir()
        if path.name != "SHA256SUMS"
    }


def test_the_card_names_backbone_library_and_scores(nkr: NKR) -> None:
    from huggingface_hub import ModelCard

    card = ModelCard.load(nkr.folder / "README.md")
    assert card.data.base_model == "tiny"
    assert card.data.library_name == "peft"
    assert "lora" in card.data.tags
    assert "in wordings never trained on | 0.900 |" in card.text
    assert "| Lists, F1 | not asked |" in card.text


def test_no_file_is_a_pickle_or_names_a_path(nkr: NKR, trained: TrainReport) -> None:
    for path in nkr.folder.iterdir():
        raw = path.read_bytes()
        assert path.suffix in (".json", ".jsonl", ".md", ".safetensors", "")
        assert str(trained.adapter.parent).encode() not in raw


def test_publishing_again_replaces_the_older_one(
    nkr: NKR, trained: TrainReport, backbone: Backbone
) -> None:
    (nkr.folder / "left_over").write_text("x")
    new = publish_tiny(nkr.folder, trained, backbone, seed=7)
    assert new.manifest.seed == 7
    assert read_nkr(nkr.folder, weights_only=False).manifest.seed == 7
    assert {path.name for path in nkr.folder.iterdir()} == {*NEEDED, *BESIDE}
    assert [path.name for path in nkr.folder.parent.iterdir()] == [nkr.folder.name]


def test_a_publishing_that_fails_leaves_the_older_one(
    nkr: NKR, trained: TrainReport, backbone: Backbone, tmp_path: Path
) -> None:
    with pytest.raises(NKRError, match="could not be written to"):
        publish_tiny(nkr.folder, trained, backbone, evidence=tmp_path / "none.jsonl")
    assert read_nkr(nkr.folder, weights_only=False).manifest == nkr.manifest
    assert [path.name for path in nkr.folder.parent.iterdir()] == [nkr.folder.name]


def test_a_place_that_cannot_be_written_is_told(
    trained: TrainReport, backbone: Backbone, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NKRError, match=r"could not be written to .*--out"):
        publish_tiny(tmp_path / "file" / "nkr", trained, backbone)


def test_with_weights_only_three_files_are_enough(nkr: NKR) -> None:
    for name in BESIDE:
        (nkr.folder / name).unlink()
    assert read_nkr(nkr.folder, weights_only=True).manifest == nkr.manifest
    with pytest.raises(NKRError, match="SHA256SUMS is missing"):
        read_nkr(nkr.folder, weights_only=False)


def test_a_moved_nkr_is_read(nkr: NKR, tmp_path: Path) -> None:
    moved = shutil.copytree(nkr.folder, tmp_path / "elsewhere")
    assert read_nkr(moved, weights_only=False).manifest == nkr.manifest


def flip_last(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-2] ^= 1
    path.write_bytes(raw)


def flip_first(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[0] ^= 0x80
    path.write_bytes(raw)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "emptied": lambda path: path.write_bytes(b""),
    "lengthened": lambda path: path.write_bytes(path.read_bytes() + b" "),
    "flipped at the end": flip_last,
    "flipped at the start": flip_first,
    "other json": lambda path: path.write_text("[]"),
    "deep json": lambda path: path.write_text("[" * 100_000),
    "text": lambda path: path.write_text("not json"),
    "missing": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


def test_an_adapter_of_zeros_can_be_shown_to_know_nothing(nkr: NKR) -> None:
    path = nkr.folder / "adapter_model.safetensors"
    save_file({name: np.zeros_like(value) for name, value in load_file(path).items()}, path)
    assert read_nkr(nkr.folder, weights_only=True).silenced
    with pytest.raises(NKRError, match="damaged"):
        read_nkr(nkr.folder, weights_only=False)
    raw = bytearray(path.read_bytes())
    raw[-1] = 1
    path.write_bytes(raw)
    with pytest.raises(NKRError, match="damaged"):
        read_nkr(nkr.folder, weights_only=True)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*NEEDED, *BESIDE])
def test_every_damage_is_told_in_one_sentence(
    nkr: NKR, name: str, damage: str, weights_only: bool
) -> None:
    DAMAGES[damage](nkr.folder / name)
    if weights_only and name in BESIDE:
        read_nkr(nkr.folder, weights_only=True)
        return
    with pytest.raises(NKRError) as caught:
        read_nkr(nkr.folder, weights_only=weights_only)
    told = str(caught.value)
    assert name in told
    assert str(nkr.folder) in told
    assert "again" in told
    assert "\n" not in told


@pytest.mark.parametrize("place", range(0, 1400, 97))
def test_a_flipped_byte_anywhere_in_the_manifest_is_told(nkr: NKR, place: int) -> None:
    path = nkr.folder / "nkr.json"
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= 1
    path.write_bytes(raw)
    with pytest.raises(NKRError):
        read_nkr(nkr.folder, weights_only=True)


def test_another_format_is_told_as_such(nkr: NKR) -> None:
    path = nkr.folder / "nkr.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(NKRError, match="has format 9, and this version reads format 1"):
        read_nkr(nkr.folder, weights_only=True)


def test_a_folder_of_nkrs_is_told_as_such(nkr: NKR) -> None:
    with pytest.raises(NKRError, match=f"such as .*{nkr.folder.name}"):
        read_nkr(nkr.folder.parent, weights_only=True)


def test_what_is_no_nkr_is_told(tmp_path: Path) -> None:
    with pytest.raises(NKRError, match="no NKR at"):
        read_nkr(tmp_path / "none", weights_only=True)
    with pytest.raises(NKRError, match=r"nkr\.json is missing"):
        read_nkr(tmp_path, weights_only=True)
