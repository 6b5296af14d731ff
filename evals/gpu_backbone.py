"""Qwen3-VL-8B's architecture at random weights, and a tiny one of its class."""

from typing import Any

from training.backbone import EMBEDDED, Backbone
from training.pretraining.tiny_vlm import IMAGE_TOKENS

# Qwen/Qwen3-VL-8B-Instruct's config.json.
TEXT = {
    "vocab_size": 151936,
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 262144,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 5000000.0,
        "mrope_section": [24, 20, 20],
        "mrope_interleaved": True,
    },
    "tie_word_embeddings": False,
}
VISION = {
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_heads": 16,
    "patch_size": 16,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "out_hidden_size": 4096,
    "num_position_embeddings": 2304,
    "deepstack_visual_indexes": [8, 16, 24],
}
TINY_TEXT = {
    "vocab_size": 20000,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 1024,
    "rope_parameters": {**TEXT["rope_parameters"], "mrope_section": [4, 2, 2]},  # type: ignore[dict-item]
}
TINY_VISION = {
    "depth": 3,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "out_hidden_size": 64,
    "num_position_embeddings": 256,
    "deepstack_visual_indexes": [0, 1],
}


def build(tiny: bool) -> Backbone:
    """Return the backbone, frozen: in bfloat16 on the GPU, or the tiny one in float32 on the CPU.

    The embedded backbone's tokenizer is enough: no hub is asked for another.
    """
    import torch
    from transformers import AutoProcessor, Qwen3VLConfig, Qwen3VLForConditionalGeneration

    processor: Any = AutoProcessor.from_pretrained(str(EMBEDDED), local_files_only=True)
    tokenizer = processor.tokenizer
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in IMAGE_TOKENS.items()}
    text, vision = (TINY_TEXT, {**VISION, **TINY_VISION}) if tiny else (TEXT, VISION)
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = Qwen3VLConfig(text_config={**text, **ends}, vision_config=vision, **ids)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if tiny else torch.bfloat16)
    try:
        with torch.device("cpu" if tiny else "cuda"):
            model = Qwen3VLForConditionalGeneration._from_config(config, attn_implementation="sdpa")
    finally:
        torch.set_default_dtype(before)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.requires_grad_(False)
    return Backbone(model.eval(), processor, "Qwen/Qwen3-VL-8B-Instruct", "random weights")


def wait() -> None:
    """Wait until the GPU has done what it was given."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
