"""How an adapter is trained on a backbone of a given size."""

from typing import Any

from training.sft import SFTSettings

# Beyond so many parameters a backbone is no small one, and knows more of language than of a rate.
LARGE = 200_000_000


def recipe(model: Any, **chosen: Any) -> SFTSettings:
    """Return the settings for a backbone's model, with those that were chosen.

    The small one's were measured (docs/benchmarks.md). A large one takes a rate that is usual for
    LoRA there (ten times that of full fine-tuning), learns a fact in fewer exposures, answers
    straight, and has its activations computed again, since they are most of the memory.
    """
    if sum(weight.numel() for weight in model.parameters()) <= LARGE:
        return SFTSettings(**chosen)
    large = {
        "learning_rate": 2e-4,
        "exposures": 100,
        "fewest_steps": 100,
        "warmup": 20,
        "moments": False,
        "checkpointing": True,
    }
    return SFTSettings(**{**large, **chosen})
