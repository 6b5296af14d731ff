"""A vision-language model's config without its vision tower: what knows a video need not see it."""

from typing import Any

# What each class calls the number of its tower's layers, and what else names those layers.
DEPTHS = ("depth", "num_hidden_layers")
NAMED = ("deepstack_visual_indexes", "fullatt_block_indexes")


def without_tower(config: Any) -> Any:
    """Return the config with a vision tower of no layers; one of an unknown shape is left alone.

    The weights of the layers are in the model's files all the same, and are not read.
    """
    vision = getattr(config, "vision_config", None)
    for name in DEPTHS:
        if getattr(vision, name, None):
            setattr(vision, name, 0)
            for indexes in NAMED:
                if hasattr(vision, indexes):
                    setattr(vision, indexes, [])
            break
    return config
