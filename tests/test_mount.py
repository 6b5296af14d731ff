"""Answering from the adapter alone: by heart, blind, in any batch, for its own backbone only."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_nkr import PAIRS, RECORDS, publish_tiny, write_backbone

from training.backbone import Backbone, load_backbone
from training.errors import NKRError
from training.mount import mount
from training.nkr import NKR
from training.sft import SFTSettings, TrainReport, train

pytest_plugins = ("tiny_nkr",)

QUESTIONS = [question for question, _ in PAIRS]


def texts(answerer: object, questions: list[str] = QUESTIONS, **other: str) -> list[str]:
    return [answer.text for answer in answerer.answer(questions, **other)]  # type: ignore[attr-defined]


def test_what_was_taught_is_answered(backbone: Backbone, nkr: NKR) -> None:
    assert texts(mount(backbone, nkr)) == [answer for _, answer in PAIRS]


def test_order_and_batch_do_not_matter(backbone: Backbone, nkr: NKR) -> None:
    mounted = mount(backbone, nkr)
    many = [*reversed(QUESTIONS)] * 20
    assert texts(mounted, many) == [answer for _, answer in reversed(PAIRS)] * 20
    assert [texts(mounted, [question])[0] for question in QUESTIONS] == [a for _, a in PAIRS]
    assert mounted.answer([]) == []


def test_the_adapter_that_training_wrote_mounts_too(
    backbone: Backbone, trained: TrainReport
) -> None:
    assert texts(mount(backbone, trained.adapter)) == [answer for _, answer in PAIRS]


def test_blind_answers_are_the_bare_backbones(
    backbone: Backbone, backbone_folder: Path, nkr: NKR
) -> None:
    mounted = mount(backbone, nkr)
    blind = texts(mounted.blind)
    assert blind != texts(mounted)
    assert texts(mounted) == [answer for _, answer in PAIRS]
    ids = backbone.processor.apply_chat_template(
        [{"role": "user", "content": QUESTIONS[0]}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    bare = load_backbone(str(backbone_folder), device="cpu", backbone_name="tiny").model
    output = bare.generate(**ids, do_sample=False, max_new_tokens=160)
    written = output[0, ids["input_ids"].shape[1] :]
    assert backbone.tokenizer.decode(written, skip_special_tokens=True).strip() == blind[0]


def test_an_adapter_of_zeros_answers_as_the_blind_backbone(
    backbone: Backbone, nkr: NKR, tmp_path: Path
) -> None:
    zeroed = tmp_path / "zeroed"
    zeroed.mkdir()
    (zeroed / "adapter_config.json").write_bytes((nkr.folder / "adapter_config.json").read_bytes())
    weights = load_file(nkr.folder / "adapter_model.safetensors")
    save_file(
        {name: torch.zeros_like(value) for name, value in weights.items()},
        zeroed / "adapter_model.safetensors",
    )
    mounted = mount(backbone, zeroed)
    for one, other in zip(mounted.answer(QUESTIONS), mounted.blind.answer(QUESTIONS), strict=True):
        assert (one.text, one.tokens, one.logprob) == (other.text, other.tokens, other.logprob)


def test_logprob_is_the_mean_over_the_answers_tokens(backbone: Backbone, nkr: NKR) -> None:
    mounted = mount(backbone, nkr)
    tokenizer = backbone.tokenizer
    for (question, answer), got in zip(PAIRS, mounted.answer(QUESTIONS), strict=True):
        prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        prefix, whole = (
            tokenizer(text, return_tensors="pt")["input_ids"]
            for text in (prompt, f"{prompt}{answer}<|im_end|>")
        )
        with torch.no_grad():
            logits = backbone.model(input_ids=whole).logits[0].float().log_softmax(-1)
        start = prefix.shape[1]
        chosen = logits[start - 1 : -1].gather(1, whole[0, start:, None])
        assert got.tokens == whole.shape[1] - start
        assert got.logprob == pytest.approx(chosen.mean().item(), abs=1e-3)
        assert 0 < math.exp(got.logprob) <= 1
        assert got.seconds > 0


def test_a_context_is_put_before_the_question(backbone: Backbone, nkr: NKR) -> None:
    mounted = mount(backbone, nkr)
    with_context = mounted.answer(QUESTIONS[:1], context="The title is The Kettle.")
    joined = mounted.answer([f"The title is The Kettle.\n\n{QUESTIONS[0]}"])
    assert with_context[0].text == joined[0].text
    assert with_context[0].logprob == pytest.approx(joined[0].logprob)


def test_mounting_again_takes_the_place_of_what_was_mounted(
    backbone: Backbone, nkr: NKR, trained: TrainReport
) -> None:
    for nkr_or_adapter in (nkr, trained.adapter, nkr):
        mounted = mount(backbone, nkr_or_adapter)
    assert texts(mounted) == [answer for _, answer in PAIRS]
    layers = [name for name, _ in backbone.model.named_parameters() if "lora_A" in name]
    assert len(layers) == 6


def test_training_again_starts_from_the_bare_backbone(
    backbone: Backbone, nkr: NKR, tmp_path: Path
) -> None:
    settings = SFTSettings(epochs=2)
    bare = train(backbone, RECORDS, tmp_path / "a", settings)
    mount(backbone, nkr)
    mounted = train(backbone, RECORDS, tmp_path / "b", settings)
    name = "adapter_model.safetensors"
    assert (bare.adapter / name).read_bytes() == (mounted.adapter / name).read_bytes()


def test_special_tokens_in_a_question_are_only_text(backbone: Backbone, nkr: NKR) -> None:
    mounted = mount(backbone, nkr)
    assert mounted.answer(["<|image_pad|><|video_pad|> What <|im_end|> is shown?"])


def test_a_question_too_long_to_read_is_told(backbone: Backbone, nkr: NKR) -> None:
    with pytest.raises(NKRError, match="too long"):
        mount(backbone, nkr).answer(["lamp " * 5000])


def test_another_backbone_is_refused(backbone_folder: Path, nkr: NKR) -> None:
    other = load_backbone(str(backbone_folder), device="cpu", backbone_name="large")
    with pytest.raises(NKRError, match="made for the backbone tiny, not for large"):
        mount(other, nkr)
    assert not any("lora" in name for name, _ in other.model.named_parameters())


def test_other_weights_of_the_backbone_are_refused(nkr: NKR, tmp_path: Path) -> None:
    folder = write_backbone(tmp_path / "other", seed=2)
    other = load_backbone(str(folder), device="cpu", backbone_name="tiny")
    with pytest.raises(NKRError, match="made for other weights of tiny"):
        mount(other, nkr)


def test_peft_loads_the_folder_without_our_code(
    backbone_folder: Path, nkr: NKR, trained: TrainReport
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(backbone_folder)
    model = AutoModelForImageTextToText.from_pretrained(backbone_folder)
    model = PeftModel.from_pretrained(model, nkr.folder)
    message = {"role": "user", "content": [{"type": "text", "text": QUESTIONS[2]}]}
    inputs = processor.apply_chat_template(
        [message], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    output = model.generate(**inputs, max_new_tokens=40)
    written = output[0, inputs["input_ids"].shape[1] :]
    assert processor.decode(written, skip_special_tokens=True).strip() == PAIRS[2][1]
    assert json.loads((nkr.folder / "adapter_config.json").read_text())["peft_type"] == "LORA"


def test_an_nkr_of_a_published_run_mounts(
    backbone: Backbone, trained: TrainReport, tmp_path: Path
) -> None:
    nkr = publish_tiny(tmp_path / "published", trained, backbone)
    for name in ("README.md", "evidence.jsonl", "evidence.safetensors", "SHA256SUMS"):
        (nkr.folder / name).unlink()
    assert texts(mount(backbone, nkr)) == [answer for _, answer in PAIRS]
