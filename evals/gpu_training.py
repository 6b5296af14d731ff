"""Tokens a second and memory of our trainer beside TRL's as its documentation shows it."""

import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import torch

from evals.gpu_backbone import wait
from evals.reference import reference
from training import sft
from training.backbone import Backbone
from training.corpus import Record
from training.lora import adapted_linears, make_bare
from training.trainer.exposures import evened
from training.trainer.progress import Progress

# Steps that warm up, in which ours captures its graphs, and that are timed; of a tiny backbone too.
STEPS, TINY_STEPS = {"trl": (5, 40), "ours": (45, 40)}, {"trl": (1, 2), "ours": (3, 2)}
RECORDS, TINY_RECORDS = 4000, 24
GIB = 1 << 30


class Meter:
    """Notes what each step reads and when the timed ones begin and end."""

    def __init__(self, warm: int, timed: int) -> None:
        self.warm, self.timed = warm, timed
        self.steps = 0
        self.tokens: list[Any] = []
        self.times: list[float] = []
        wait()
        self.weights = 0
        if torch.cuda.is_available():
            self.weights = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()

    def step(self, *_: Any) -> None:
        """Count a step that has ended."""
        self.steps += 1
        if self.steps in (1, self.warm, self.warm + self.timed):
            wait()
            self.times.append(perf_counter())

    def told(self) -> dict[str, float]:
        """Return tokens a second, seconds and tokens a step, and GiB above the weights.

        ``warm`` are the seconds from the first step to the first that is timed; memory is what
        tensors took at most, and what was taken from the GPU for them.
        """
        read = sum(int(tokens) for tokens in self.tokens[self.warm : self.warm + self.timed])
        seconds = self.times[-1] - self.times[-2]
        used = taken = 0
        if torch.cuda.is_available():
            used, taken = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
        return {
            "warm": round(self.times[-2] - self.times[0], 2),
            "tokens_per_second": round(read / seconds, 1),
            "seconds_per_step": round(seconds / self.timed, 4),
            "tokens_per_step": round(read / self.timed, 1),
            "gib_above_weights": round((used - self.weights) / GIB, 2),
            "gib_taken": round((taken - self.weights) / GIB, 2),
        }


def measure(backbone: Backbone, folder: Path, tiny: bool) -> dict[str, Any]:
    """Train with both on one corpus; our adapter stays in ``folder/adapter``."""
    timing = TINY_STEPS if tiny else STEPS
    settings = sft.SFTSettings(
        learning_rate=2e-4,
        replay_share=0.0,
        checkpointing=True,
        graphs=True,
        batch_size=4 if tiny else 32,
    )
    found = [record for record in reference() if record.split == "train"]
    records = evened(random.Random(0).sample(found, TINY_RECORDS if tiny else RECORDS))
    told: dict[str, Any] = {
        "records": len(records),
        "records_a_step": settings.batch_size,
        "rank": settings.rank,
        "timed_steps": {name: timed for name, (_, timed) in timing.items()},
        "checkpointing": settings.checkpointing,
    }
    trainers: dict[str, Callable[..., None]] = {"trl": plain_trl, "ours": ours}
    for name, train in trainers.items():
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        meter = Meter(*timing[name])
        steps = sum(timing[name])
        bounded = replace(settings, max_steps=steps, fewest_steps=steps, save_every=steps + 1)
        train(backbone, records, folder, bounded, meter)
        told[name] = meter.told()
    rates = [told[name]["tokens_per_second"] for name in ("ours", "trl")]
    return {**told, "times_as_fast": round(rates[0] / rates[1], 2)}


def ours(
    backbone: Backbone,
    records: Sequence[Record],
    folder: Path,
    settings: sft.SFTSettings,
    meter: Meter,
) -> None:
    """Train with `training.sft`."""
    count = Progress.count

    def noted(self: Progress, tokens: Any, loss: Any) -> None:
        meter.tokens.append(tokens)
        count(self, tokens, loss)

    with patch.object(Progress, "count", noted):
        sft.train(backbone, records, folder, settings, on_step=meter.step)


def plain_trl(
    backbone: Backbone,
    records: Sequence[Record],
    folder: Path,
    settings: sft.SFTSettings,
    meter: Meter,
) -> None:
    """Train with TRL's `SFTTrainer`, and PEFT, as their documentation shows it."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Steps(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            meter.step()

    rows = [
        {
            "prompt": [{"role": "user", "content": record.question}],
            "completion": [{"role": "assistant", "content": record.answer}],
        }
        for record in records
    ]
    device = backbone.model.device.type
    trainer = SFTTrainer(
        model=backbone.model,
        args=SFTConfig(
            output_dir=str(folder / "trl"),
            max_steps=settings.max_steps or -1,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            completion_only_loss=True,
            bf16=device != "cpu",
            use_cpu=device == "cpu",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=settings.seed,
            **{sft.checkpointing_argument(SFTConfig): settings.checkpointing},  # type: ignore[arg-type]
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=backbone.tokenizer,
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.rank,
            lora_alpha=settings.alpha,
            target_modules=adapted_linears(backbone.model),
        ),
        callbacks=[Steps()],
    )
    collate = trainer.data_collator

    def counted(rows: Any) -> Any:
        batch = collate(rows)
        meter.tokens.append(batch["attention_mask"].sum())
        return batch

    trainer.data_collator = counted
    trainer.train()
    trainer.accelerator.free_memory()
    del trainer
    make_bare(backbone.model)
    sft.keep_activations(backbone.model)
    backbone.model.__dict__.pop("forward", None)
