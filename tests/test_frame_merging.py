"""Frames beside the keyframes that the backbone reads as one token each."""

from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage
from PIL import Image
from tiny_models import CLASSES

from agents.language import backbone_chat
from agents.language.backbone_chat import BackboneChat, encoded
from agents.language.frame_merging import can_merge, merged, patch_weights
from tools.picture_block import picture_blocks
from training.backbone import Backbone, load_backbone

MERGING = [name for name in CLASSES if name.startswith("Qwen")]
TOPIC = "What is the title?"


def loaded(name: str, folder: Path) -> Backbone:
    CLASSES[name](folder)
    return load_backbone(str(folder), device="cpu", backbone_name="tiny", sees=True)


def shown(*colours: str) -> list[dict[str, Any]]:
    """Blocks of pictures, small letters for what is merged."""
    blocks: list[dict[str, Any]] = []
    for colour in colours:
        picture = Image.new("RGB", (112, 112), colour.lower())
        picture.paste(Image.new("RGB", (56, 112), "white"), (0, 0))
        label, block = picture_blocks("at 1.0 s:", picture)
        blocks += [label, block if colour.istitle() else {**block, "topic": TOPIC}]
    return blocks


def test_a_patch_counts_by_what_is_asked_and_not_known_yet() -> None:
    plain, query = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])
    frame = plain.repeat(2, 2, 1)
    frame[0, 1] = query
    frame[1, 0] = torch.tensor([0.0, 0.0, 1.0])
    weights = patch_weights(frame, plain.repeat(4, 4, 1), query)
    assert weights.sum() == pytest.approx(1)
    assert weights.argmax() == 1
    assert weights[2] > weights[0] == weights[3], "new, though not asked for"
    same = patch_weights(frame, frame, query)
    assert same[1] < weights[1], "what the keyframe shows counts less"


@pytest.mark.parametrize("name", MERGING)
def test_a_merged_picture_is_one_token(name: str, tmp_path: Path) -> None:
    backbone = loaded(name, tmp_path)
    whole = encoded(backbone, [HumanMessage(shown("Red", "Blue", "Green"))])
    few = merged(backbone, dict(whole), [None, TOPIC, None])
    pictured = (few["input_ids"] == backbone.model.config.image_token_id).sum()
    each = (whole["input_ids"] == backbone.model.config.image_token_id).sum() // 3
    assert each > 1
    assert pictured == 2 * each + 1
    assert few["input_ids"].shape == few["attention_mask"].shape
    red, blue, green = few["mm_encoder_outputs"]["image"].pooler_output
    assert (len(red), len(blue), len(green)) == (each, 1, each)
    with torch.no_grad():
        logits = backbone.model(**few).logits
        untouched = backbone.model(**merged(backbone, dict(whole), [None] * 3)).logits
        plain = backbone.model(**whole).logits
    assert logits.shape[1] == whole["input_ids"].shape[1] - each + 1
    assert torch.allclose(untouched, plain, atol=1e-5), "without topics nothing changes"


@pytest.mark.parametrize("name", MERGING)
def test_the_chat_reads_merged_pictures(name: str, tmp_path: Path) -> None:
    chat = BackboneChat(backbone=loaded(name, tmp_path), most_tokens=8)
    assert chat.merges

    def read(*colours: str) -> tuple[int, str]:
        message = chat.invoke([HumanMessage([{"type": "text", "text": "Say."}, *shown(*colours)])])
        return message.usage_metadata["input_tokens"], message.text

    whole, few = read("Red", "Blue", "Green"), read("Red", "blue", "Green")
    assert few[0] < whole[0]
    assert read("Red", "Blue", "Green") == whole, "nothing is left behind on the model"


def test_merged_pictures_that_do_not_fit_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    chat = BackboneChat(backbone=loaded(MERGING[0], tmp_path), most_tokens=8)
    monkeypatch.setattr(backbone_chat, "merged", full)
    with pytest.raises(ContextOverflowError, match="does not fit"):
        chat.invoke([HumanMessage([{"type": "text", "text": "Say."}, *shown("Red", "blue")])])


def test_other_classes_see_a_sheet(tmp_path: Path) -> None:
    for name in set(CLASSES) - set(MERGING):
        assert not can_merge(loaded(name, tmp_path / name))
