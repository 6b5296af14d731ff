"""Averages the weights of pretraining runs that started from the same model.

    python -m training.soup runs/pretrain-6 runs/pretrain-7 --out training/embedded

A model soup (Wortsman et al., arXiv 2203.05482): runs on different talks from one start end in one
valley, so that cores may pretrain apart; the mean has read at least as well as a run alone.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from training.backbone import EMBEDDED
from training.pretrain import CHECKPOINT, save
from training.pretraining.tiny_vlm import Size, build_model


def mean(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the mean of models' tensors, name by name; all must have the same ones."""
    first = states[0]
    return {name: torch.stack([one[name] for one in states]).mean(dim=0) for name in first}


def main(argv: list[str] | None = None) -> int:
    """Average and save; see the module's docstring."""
    from transformers import AutoProcessor

    parser = argparse.ArgumentParser(
        prog="python -m training.soup", description="Average pretraining runs of one start."
    )
    parser.add_argument("works", type=Path, nargs="+", help="folders of the runs' checkpoints")
    parser.add_argument("--out", type=Path, default=EMBEDDED, help="where the model is saved")
    args = parser.parse_args(argv)
    for work in args.works:
        if not (work / CHECKPOINT).is_file():
            parser.error(f"{work} has no {CHECKPOINT}: give the --work folder of a pretraining run")
    states = [torch.load(work / CHECKPOINT, weights_only=True) for work in args.works]
    processor = AutoProcessor.from_pretrained(args.works[0])
    model = build_model(processor.tokenizer, Size(), seed=0)
    model.load_state_dict(mean([state["model"] for state in states]))
    save(model, processor, args.out)
    print(json.dumps({"runs": len(states), "tokens": [state["tokens"] for state in states]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
