"""How fast an adapter learns: what each step of the training saves, and recall against seconds.

    python -m evals.learning_speed                       # as a table
    python -m evals.learning_speed --json --budgets 1    # one budget, in seconds a fact

All on a corpus that is kept beside this file: the records of a clip of 60 slides (the last of
`evals.generated_clips`), frozen, so that other wordings do not move the figures. Every row of the
tables trains anew in one run; ``recall`` is over the corpus's exam split, whose wordings were not
trained. What is done is kept in ``--out`` and not done again.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from agents.examiner import examine
from evals.reference import reference
from graphs.distill.parts import write_text
from training import sft
from training.backbone import load_backbone
from training.corpus import Record
from training.mount import mount
from training.nkr import WEIGHTS
from training.trainer.lora_trainer import LoraTrainer

BUDGETS = (0.5, 1.0, 2.0)
# Steps by which a variant's speed is told, after those in which the teacher reads the exercises.
READING_STEPS, TIMED_STEPS = 40, 40
AIM = 0.95


@dataclass(frozen=True)
class Variant:
    """The training with one step of it left out."""

    settings: dict[str, Any] = field(default_factory=dict)
    warm: bool = True
    changed: Callable[[], AbstractContextManager[Any]] = nullcontext


@contextmanager
def mixed_lengths() -> Iterator[None]:
    """Put records into batches at random, as trainers do: the short ones are padded."""
    with patch.object(LoraTrainer, "_get_train_sampler", _at_random):
        yield


@contextmanager
def every_logit() -> Iterator[None]:
    """Compute the logits of every token, not of the answers' alone."""
    with patch.object(LoraTrainer, "answer_states", _of_all_logits):
        yield


@contextmanager
def float32() -> Iterator[None]:
    """Train in float32."""
    with patch.object(sft, "uses_bf16", lambda device: False):
        yield


@contextmanager
def attention_too() -> Iterator[None]:
    """Put adapters on the layers of attention as well."""
    whole = r"model\.language_model\.layers\..*\.\w+_proj"
    with patch.object(sft, "adapted_linears", lambda model: whole):
        yield


def _at_random(self: Any, train_dataset: Any = None) -> Any:
    generator = torch.Generator().manual_seed(self.args.seed)
    return torch.utils.data.RandomSampler(train_dataset, generator=generator)


def _of_all_logits(self: Any, model: Any, ids: Any, mask: Any, answers: Any) -> Any:
    """Compute, and go back through, the logits of every token beside the states."""
    self._choose_attention(ids.shape[1])
    found: list[torch.Tensor] = []
    hook = self._head(model).register_forward_pre_hook(lambda _, args: found.append(args[0]))
    try:
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    finally:
        hook.remove()
    return found[0][:, :-1][answers] + 0.0 * logits.float().logsumexp(-1).sum()


COLD = Variant(warm=False)
# The first is what a distillation does.
SPEED = {
    "as it is": Variant(),
    "batches at random": Variant(changed=mixed_lengths),
    "logits of every token": Variant(changed=every_logit),
    "float32": Variant(changed=float32),
    "adapters on attention too": Variant(warm=False, changed=attention_too),
}
LEARNING = {
    "as it is": Variant(),
    "no warm start": COLD,
    "adapters on attention too, no warm start": Variant(warm=False, changed=attention_too),
    "half the rank, no warm start": Variant(
        {"rank": sft.SFTSettings.rank // 2, "alpha": sft.SFTSettings.alpha // 2}, warm=False
    ),
    "answers without their moments": Variant({"moments": False}),
    "half the rate": Variant({"learning_rate": sft.SFTSettings.learning_rate / 2}),
    "distilled from the context": Variant({"loss": "distill"}),
}
CURVES = ("as it is", "no warm start")


def trained(variant: Variant, records: Sequence[Record], steps: int) -> dict[str, Any]:
    """Train for so many steps; return the seconds, tokens a second, and recall on the exam.

    Speed is told of the steps after `READING_STEPS`; recall where more than those for it are made.
    """
    backbone = load_backbone("embedded", device="cpu")
    settings = sft.SFTSettings(
        **variant.settings, max_steps=steps, fewest_steps=steps, save_every=steps + 1
    )
    ends = [time.monotonic()]
    with tempfile.TemporaryDirectory() as folder, variant.changed():
        start = backbone.warm_start if variant.warm else None
        told = sft.train(
            backbone,
            records,
            Path(folder),
            settings,
            start=start,
            on_step=lambda *_: ends.append(time.monotonic()),
        )
        mounted = mount(backbone, told.adapter, moments=told.moments)
        exam = [r for r in records if r.split == "exam" and r.category == "open"]
        to_learn = steps > READING_STEPS + TIMED_STEPS
        recall = examine(mounted, exam).scores.recall if to_learn else None
    timed = ends[min(READING_STEPS, steps - 1) :]
    a_step = (timed[-1] - timed[0]) / (len(timed) - 1)
    return {
        "steps": told.steps,
        "seconds": told.seconds,
        "seconds_per_step": a_step,
        "tokens_per_second": told.tokens / told.steps / a_step,
        "recall": recall,
    }


class Results:
    """Rows by name, kept in a file after each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def get(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return a row, made now where it is not there yet."""
        if name not in self.rows:
            self.rows[name] = make()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._path, json.dumps(self.rows, indent=1) + "\n")
        return self.rows[name]


def made_of() -> str:
    """Return what stands for the backbone, its warm start and the settings that are measured."""
    backbone = load_backbone("embedded", device="cpu")
    digest = hashlib.sha256(json.dumps(asdict(sft.SFTSettings())).encode())
    digest.update(backbone.revision.encode())
    if backbone.warm_start:
        digest.update((backbone.warm_start / WEIGHTS).read_bytes())
    return digest.hexdigest()[:8]


def measure(records: Sequence[Record], budgets: Sequence[float], kept: Results) -> dict[str, Any]:
    """Return the figures: speed of each variant, and recall by seconds a fact."""
    made = made_of()
    facts = len({fact for r in records if r.split == "train" for fact in r.fact_ids})
    shortest = READING_STEPS + TIMED_STEPS
    speed = {
        name: kept.get(f"{made}/speed/{name}", partial(trained, variant, records, shortest))
        for name, variant in SPEED.items()
    }
    step = speed["as it is"]["seconds_per_step"]
    learning = []
    for name, variant in LEARNING.items():
        if variant == COLD and not load_backbone("embedded", device="cpu").warm_start:
            continue  # It is how all of them start.
        for budget in budgets if name in CURVES else [min(budgets)]:
            # By steps and not by the clock, so that a busy machine does not change what is learnt.
            steps = max(shortest + 1, round(budget * facts / step))
            make = partial(trained, variant, records, steps)
            row = kept.get(f"{made}/learning/{name}/{steps}", make)
            learning.append({"variant": name, "seconds_per_fact": row["seconds"] / facts, **row})
    reached = [
        row["seconds_per_fact"]
        for row in learning
        if row["variant"] == "as it is" and row["recall"] >= AIM
    ]
    return {
        "facts": facts,
        "records": sum(r.split == "train" for r in records),
        "speed": speed,
        "learning": learning,
        "seconds_per_fact_to_0.95": min(reached, default=None),
    }


def print_tables(found: dict[str, Any]) -> None:
    """Print the figures as tables."""
    from rich.console import Console
    from rich.table import Table

    speed = Table("training", "tokens a second", title=f"{found['facts']} facts")
    for name, row in found["speed"].items():
        speed.add_row(name, f"{row['tokens_per_second']:.0f}")
    learning = Table("training", "steps", "seconds a fact", "recall on the exam")
    for row in found["learning"]:
        learning.add_row(
            row["variant"],
            str(row["steps"]),
            f"{row['seconds_per_fact']:.2f}",
            f"{row['recall']:.3f}",
        )
    Console().print(speed, learning)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.learning_speed", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS, metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=Path("runs/learning_speed.json"))
    options = parser.parse_args()
    found = measure(reference(), options.budgets, Results(options.out))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print_tables(found)


if __name__ == "__main__":
    main()
