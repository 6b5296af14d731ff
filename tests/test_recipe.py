"""What a backbone's size decides on."""

import torch

from training.recipe import LARGE, recipe
from training.sft import SFTSettings


def test_a_large_backbone_learns_gently_and_saves_memory() -> None:
    with torch.device("meta"):
        small, large = torch.nn.Linear(10, 10), torch.nn.Linear(LARGE // 1000, 1001)
    assert recipe(small, seed=3) == SFTSettings(seed=3)
    chosen = recipe(large, seed=3, max_steps=7)
    assert chosen.checkpointing
    assert chosen.learning_rate < SFTSettings().learning_rate / 10
    assert (chosen.seed, chosen.max_steps) == (3, 7)
