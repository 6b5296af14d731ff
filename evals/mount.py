"""Mounting many: cold load, hot swap, and answers a second over 1, 8 and 64 NKRs.

    python -m evals.mount --json

The adapters are drawn at random, since timing does not depend on values; each answer is of
`TOKENS` tokens. PEFT's own mixed batch and hot swap stand beside ours.
"""

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from graphs.environment import prepare

COUNTS = (1, 8, 64)
QUESTIONS = 64
TOKENS = 12
REPEATS = 5
ASKED = "What is shown on the slide at 00:{:02d}?"


def make_nkrs(backbone: Any, count: int, folder: Path) -> list[Any]:
    """Publish NKRs whose weights are random, of the rank and layers that a distillation gives."""
    import torch
    from peft import get_peft_model

    from training import sft
    from training.lora import make_bare
    from training.nkr import Taught, Video, publish

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evidence.jsonl").write_text("")
    nkrs = []
    for number in range(count):
        torch.manual_seed(number)
        model = get_peft_model(backbone.model, sft._lora(backbone.model, sft.SFTSettings()))
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.01)
        adapter = folder / f"adapter-{number}"
        model.save_pretrained(adapter)
        make_bare(backbone.model)
        nkrs.append(
            publish(
                folder / "nkrs" / f"video-{number:02d}",
                adapter=adapter,
                evidence=folder / "evidence.jsonl",
                embeddings=np.zeros((0, 384), dtype=np.float32),
                backbone=backbone,
                video=Video(name=f"{number}.mp4", sha256="0" * 64, seconds=60, width=16, height=9),
                corpus=Taught(sha256="0" * 64, counts={}),
                scores={},
                seed=number,
            )
        )
    return nkrs


def median(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the median of some runs, in seconds, after one that warms up."""
    work()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure(folder: Path) -> dict[str, Any]:
    """Return all figures."""
    from training.backbone import load_backbone
    from training.rack import Rack

    backbone = load_backbone()
    nkrs = make_nkrs(backbone, max(COUNTS), folder)
    questions = [ASKED.format(number) for number in range(QUESTIONS)]
    found: dict[str, Any] = {"adapter_bytes": _size(nkrs[0]), "swap": swaps(backbone, nkrs)}
    rack = Rack(backbone, slots=8)
    eight = list(zip(nkrs[:8], questions[:8], strict=True))
    together = median(lambda: rack.ask(eight))
    apart = median(lambda: [rack.ask([pair]) for pair in eight])
    alone = median(lambda: rack.ask([(nkrs[0], question) for question in questions[:8]]))
    rack.close()
    mixed = peft_mixed(backbone, nkrs[:8], questions[:8])
    found["eight_questions_of_eight_nkrs"] = {
        "one_at_a_time_seconds": apart,
        "one_batch_seconds": together,
        "times_faster": apart / together,
        "of_one_nkr_seconds": alone,
        "peft_mixed_batch_seconds": mixed,
    }
    found["answers_per_second"] = {
        f"{count} NKRs, {slots} slots": throughput(backbone, nkrs[:count], questions, slots)
        for count in COUNTS
        for slots in sorted({8, max(8, count)})
    }
    return found


def throughput(backbone: Any, nkrs: Sequence[Any], questions: Sequence[str], slots: int) -> float:
    """Return the answers a second, the questions dealt out over the NKRs."""
    from training.rack import Rack

    rack = Rack(backbone, slots=slots)
    asked = [(nkrs[number % len(nkrs)], text) for number, text in enumerate(questions)]
    seconds = median(lambda: rack.ask(asked), 3)
    rack.close()
    return len(asked) / seconds


def swaps(backbone: Any, nkrs: Sequence[Any]) -> dict[str, float]:
    """Return the milliseconds of a cold load, of ours and PEFT's hot swap, and PEFT's load."""
    from peft import PeftModel
    from peft.utils.hotswap import hotswap_adapter

    from training.lora import make_bare
    from training.nkr import read_nkr
    from training.slots import Adapter, Slots

    slots = Slots(backbone.model, 8)
    turn = iter(range(10**6))

    def cold() -> None:
        folder = nkrs[next(turn) % len(nkrs)].folder
        slots.put(1, Adapter(read_nkr(folder, weights_only=True).folder))

    held = [Adapter(nkr.folder) for nkr in nkrs[:2]]
    found = {
        "cold_load_ms": 1000 * median(cold, 20),
        "hot_swap_ms": 1000 * median(lambda: slots.put(2, held[next(turn) % 2]), 20),
    }
    slots.close()
    model = PeftModel.from_pretrained(backbone.model, nkrs[0].folder)

    def swap() -> None:
        hotswap_adapter(model, str(nkrs[next(turn) % 2].folder), adapter_name="default")

    found["peft_hotswap_ms"] = 1000 * median(swap, 20)
    make_bare(backbone.model)
    return found


def peft_mixed(backbone: Any, nkrs: Sequence[Any], questions: Sequence[str]) -> float:
    """Return the seconds of PEFT's batch over several adapters."""
    from peft import PeftModel

    from training import generate
    from training.lora import make_bare
    from training.prompt import prompt

    model = PeftModel.from_pretrained(backbone.model, nkrs[0].folder, adapter_name="0")
    for number, nkr in enumerate(nkrs[1:], 1):
        model.load_adapter(nkr.folder, adapter_name=str(number))
    tokenizer = backbone.tokenizer
    prompts = [prompt(backbone.processor, text) for text in questions]
    rows = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    ids, mask = generate._padded(rows, tokenizer.pad_token_id)
    names = [str(number) for number, _ in enumerate(nkrs)]
    seconds = median(
        lambda: model.generate(
            input_ids=ids,
            attention_mask=mask,
            adapter_names=names,
            do_sample=False,
            max_new_tokens=TOKENS,
            min_new_tokens=TOKENS,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    make_bare(backbone.model)
    return seconds


def _size(nkr: Any) -> int:
    return (nkr.folder / "adapter_model.safetensors").stat().st_size


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    prepare(offline=True)
    warnings.simplefilter("ignore")
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("training.generate.MAX_NEW_TOKENS", TOKENS),
        patch("training.generate._ends", lambda model: [-1]),
    ):
        found = measure(Path(folder))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
