"""Tiny random models of the classes that backbones may have, saved as a hub's folders are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from training.pretraining.tiny_vlm import (
    CHAT_TEMPLATE,
    Size,
    build_model,
    build_processor,
    train_tokenizer,
)

TEXTS = ["The title is The Lamp. What is on screen at 00:05?", "The video does not show that."]


def qwen3_vl(folder: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, 400)
    _save(
        build_model(
            tokenizer, Size(hidden=32, layers=2, heads=2, intermediate=64, positions=16384), 0
        ),
        folder,
    )
    build_processor(tokenizer).save_pretrained(folder)


def qwen2_5_vl(folder: Path) -> None:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = train_tokenizer(TEXTS, 400)
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    config = Qwen2_5_VLConfig(
        text_config=_text(tokenizer, rope_parameters=rope),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "out_hidden_size": 32,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    )
    torch.manual_seed(0)
    _save(Qwen2_5_VLForConditionalGeneration(config), folder, tokenizer)
    Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(patch_size=14),
        tokenizer,
        Qwen2VLVideoProcessor(patch_size=14),
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(folder)


def smolvlm(folder: Path) -> None:
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    marks = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
    tokenizer = _with(train_tokenizer(TEXTS, 400), [*marks, "<video>", "<row_1_col_1>"])
    config = SmolVLMConfig(
        text_config={"model_type": "llama", **_text(tokenizer)},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 64,
            "patch_size": 16,
        },
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    _save(SmolVLMForConditionalGeneration(config), folder, tokenizer)
    edge = {"longest_edge": 64}
    SmolVLMProcessor(
        SmolVLMImageProcessor(size=edge, max_image_size=edge, do_image_splitting=False),
        tokenizer,
        SmolVLMVideoProcessor(size=edge, max_image_size=edge),
        image_seq_len=4,
        chat_template=_showing("<image>"),
    ).save_pretrained(folder)


def internvl(folder: Path) -> None:
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _with(train_tokenizer(TEXTS, 400), list(named.values()), named)
    config = InternVLConfig(
        text_config={"model_type": "qwen2", **_text(tokenizer)},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": [64, 64],
            "patch_size": [16, 16],
        },
        downsample_ratio=0.5,
        image_seq_length=4,
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
    )
    torch.manual_seed(0)
    _save(InternVLForConditionalGeneration(config), folder, tokenizer)
    size = {"height": 64, "width": 64}
    InternVLProcessor(
        GotOcr2ImageProcessor(size=size),
        tokenizer,
        InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=_showing("<IMG_CONTEXT>"),
    ).save_pretrained(folder)


CLASSES: dict[str, Callable[[Path], None]] = {
    "Qwen3VLForConditionalGeneration": qwen3_vl,
    "Qwen2_5_VLForConditionalGeneration": qwen2_5_vl,
    "SmolVLMForConditionalGeneration": smolvlm,
    "InternVLForConditionalGeneration": internvl,
}


def _showing(token: str) -> str:
    """Return the chat template of a class that shows a picture by a token of its own."""
    return CHAT_TEMPLATE.replace("<|vision_start|><|image_pad|><|vision_end|>", token)


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 16384,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        **more,
    }


def _with(tokenizer: Any, tokens: list[str], named: dict[str, str] | None = None) -> Any:
    """Return the tokenizer with more special tokens; ``named`` ones can be asked for by name."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer,
        eos_token=tokenizer.eos_token,
        pad_token=tokenizer.pad_token,
        additional_special_tokens=tokens,
        model_specific_special_tokens=named or {},
        chat_template=CHAT_TEMPLATE,
    )


def _save(model: Any, folder: Path, tokenizer: Any = None) -> None:
    if tokenizer is not None:
        model.generation_config.eos_token_id = tokenizer.eos_token_id
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
