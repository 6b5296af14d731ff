"""What a GPU makes of a large backbone: training, mounting, and answering beside reading frames.

    python -m evals.gpu --json [--out FILE]
    python -m evals.gpu --only training      # a part alone
    python -m evals.gpu --tiny               # the same code on a CPU, in seconds

The backbone has Qwen3-VL-8B's architecture and random weights: time does not hang on their values.
A part that fails is reported with its error, and the others go on; the exit code is 1 then.
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

USER_ERROR = 2
PARTS = ("training", "mounting", "answering", "again", "reading")


def measure(
    tiny: bool, note: Callable[[dict[str, Any]], None], wanted: Collection[str] = PARTS
) -> dict[str, Any]:
    """Measure parts, each noted as soon as it is there; figures in seconds, GiB and tokens."""
    import peft
    import torch
    import transformers
    import trl

    from evals import gpu_answering, gpu_training
    from evals.gpu_backbone import build

    figures: dict[str, Any] = {
        "machine": "CPU" if tiny else torch.cuda.get_device_name(),
        "versions": {m.__name__: m.__version__ for m in (torch, transformers, peft, trl)},
    }
    backbone = build(tiny)
    figures["parameters"] = sum(p.numel() for p in backbone.model.parameters())
    with tempfile.TemporaryDirectory() as folder:
        parts: dict[str, Callable[[], Any]] = {
            "training": lambda: gpu_training.measure(backbone, Path(folder), tiny),
            "mounting": lambda: gpu_answering.mounting(backbone, Path(folder)),
            "answering": lambda: gpu_answering.from_weights(backbone, Path(folder)),
            "again": lambda: gpu_answering.from_weights_again(backbone, Path(folder)),
            "reading": lambda: gpu_answering.from_frames(backbone, tiny),
        }
        for name, part in parts.items():
            if name not in wanted:
                continue
            began = time.perf_counter()
            try:
                figures[name] = part()
            # A machine that is lent for minutes must not lose the other figures.
            except Exception as error:
                traceback.print_exc()
                figures[name] = {"failed": f"{type(error).__name__}: {error}"[:500]}
            figures[name]["took"] = round(time.perf_counter() - began, 1)
            print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
            note(figures)
    if set(wanted) == set(PARTS):
        figures["ratio"] = gpu_answering.ratio(figures)
    note(figures)
    return figures


def main() -> int:
    """Print the figures; return 1 where a part failed, 2 where there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m evals.gpu", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a tiny backbone on the CPU")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", type=Path, help="file that the figures go to one by one")
    parser.add_argument("--only", choices=PARTS[:1], help="a part alone; others need its adapter")
    options = parser.parse_args()
    import torch

    if not options.tiny and not torch.cuda.is_available():
        print(
            "error: There is no CUDA device here: run this on a machine with one, or with --tiny.",
            file=sys.stderr,
        )
        return USER_ERROR

    def note(figures: dict[str, Any]) -> None:
        if options.out:
            options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")

    figures = measure(options.tiny, note, [options.only] if options.only else PARTS)
    print(json.dumps(figures, indent=None if options.json else 1))
    return int(any("failed" in part for part in figures.values() if isinstance(part, dict)))


if __name__ == "__main__":
    raise SystemExit(main())
