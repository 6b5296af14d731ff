"""Frames beside the keyframes as one token each, in the backbone itself (ViLaMP, 2504.02438).

Of such a frame the model reads one vector, the mean of its patches: those count most that have to
do with what is asked and that the nearest keyframe does not show. For the classes whose processors
tell each picture's grid (Qwen2.5-VL, Qwen3-VL).
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from training.backbone import Backbone

GRID = "image_grid_thw"
# How sharply patches are told apart; cosines of neighbours differ by about so much.
TEMPERATURE = 0.1
# What has a place for each token.
_ROWS = ("input_ids", "attention_mask", "mm_token_type_ids")


def can_merge(backbone: Backbone) -> bool:
    """Tell whether frames can be merged in a backbone."""
    return GRID in backbone.processor.model_input_names


def merged(
    backbone: Backbone, inputs: dict[str, Any], topics: Sequence[str | None]
) -> dict[str, Any]:
    """Return what is generated from: one token for each picture that has a topic.

    ``inputs`` are the processor's for one request, ``topics`` what each of its pictures is merged
    for, None for a keyframe. There must be a keyframe.
    """
    model = backbone.model
    side = model.config.vision_config.spatial_merge_size
    grid = inputs[GRID]
    with torch.inference_mode():
        seen = model.get_image_features(inputs["pixel_values"], grid, return_dict=True)
        queries = {topic: _query(backbone, topic) for topic in set(topics) if topic is not None}
        maps = [
            part.float().view(int(height) // side, int(width) // side, -1)
            for part, (_, height, width) in zip(seen.pooler_output, grid, strict=True)
        ]
        weights = [
            None if topic is None else patch_weights(maps[n], maps[_key(n, topics)], queries[topic])
            for n, topic in enumerate(topics)
        ]
        seen.pooler_output = _merged(seen.pooler_output, weights)
        if (stacked := getattr(seen, "deepstack_features", None)) is not None:
            seen.deepstack_features = [_merged(layer, weights) for layer in stacked]
    kept = _kept(inputs["input_ids"][0] == model.config.image_token_id, maps, topics)
    small = torch.tensor([1, side, side], device=grid.device)
    told = torch.tensor([topic is not None for topic in topics], device=grid.device)
    rows = {name: inputs[name][:, kept] for name in _ROWS if name in inputs}
    return {
        **rows,
        GRID: torch.where(told[:, None], small, grid),
        "mm_encoder_outputs": {"image": seen},
    }


def patch_weights(frame: torch.Tensor, key: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Return what each patch of a frame counts [height * width]; they sum to 1.

    ``frame`` is [height, width, d], ``key`` the nearest keyframe's, of any size, ``query`` [d].
    """
    height, width, _ = frame.shape
    shown = F.adaptive_avg_pool2d(key.permute(2, 0, 1), (height, width)).permute(1, 2, 0)
    asked = F.cosine_similarity(frame, query, dim=-1)
    known = F.cosine_similarity(frame, shown, dim=-1)
    return ((asked - known) / TEMPERATURE).flatten().softmax(dim=0)


def _query(backbone: Backbone, topic: str) -> torch.Tensor:
    ids = backbone.tokenizer(topic or " ", return_tensors="pt", add_special_tokens=False)
    embed = backbone.model.get_input_embeddings()
    found: torch.Tensor = embed(ids["input_ids"].to(backbone.model.device))
    return found[0].float().mean(dim=0)


def _key(place: int, topics: Sequence[str | None]) -> int:
    keys = [n for n, topic in enumerate(topics) if topic is None]
    return min(keys, key=lambda n: abs(n - place))


def _merged(
    features: Sequence[torch.Tensor], weights: Sequence[torch.Tensor | None]
) -> tuple[torch.Tensor, ...]:
    return tuple(
        part if weight is None else (weight @ part.float())[None].to(part.dtype)
        for part, weight in zip(features, weights, strict=True)
    )


def _kept(
    pictured: torch.Tensor, maps: Sequence[torch.Tensor], topics: Sequence[str | None]
) -> torch.Tensor:
    """Return which tokens stay: of a merged picture's own the first one alone."""
    kept = torch.ones_like(pictured)
    places = pictured.nonzero()[:, 0]
    counts = [part.shape[0] * part.shape[1] for part in maps]
    for of_picture, topic in zip(places.split(counts), topics, strict=True):
        if topic is not None:
            kept[of_picture[1:]] = False
    return kept
