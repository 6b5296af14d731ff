"""Citations of right answers: how many hold the span of the fact that was asked for.

    python -m evals.citations --nkr-dir runs/nkrs --json

The questions are those of the ``check`` splits of the runs beside the folder that ask of one
span; counts over the whole video have no span to cite. Each is cited with its right answer, as the
router cites what the weights said. What the weights say is not asked: whether they know is another
measure (`evals.knowledge`).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.routing import TOLERANCE, contains
from graphs.commands.exits import USER_ERROR
from graphs.desk import Desk, Settings, open_desk
from graphs.environment import prepare
from graphs.routing.cited import citations, cited
from tools.errors import InputError
from training.corpus import Record, read_corpus
from training.errors import NKRError


def questions(run: Path, seconds: float) -> Iterator[Record]:
    """Yield the open questions of a run's check split that ask of one span of so long a video."""
    for record in read_corpus(run / "corpus" / "corpus.jsonl"):
        if record.split == "check" and record.category == "open" and len(record.spans) == 1:
            start, end = record.spans[0]
            if end - start < seconds - TOLERANCE:
                yield record


def measure(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return by video how many questions there are, the share cited, and up to ten missed."""
    told = {}
    for name, volume in desk.library.volumes().items():
        run = volume.nkr.folder.parents[1] / name
        if not (run / "corpus" / "corpus.jsonl").is_file():
            raise InputError(f"The run of {name} is not in {run.parent}: its questions are needed.")
        asked = list(questions(run, volume.seconds))
        missed = [
            record.question
            for record in asked
            if not contains(
                citations(cited(desk, volume.citer, record.question, record.answer)), record
            )
        ]
        share = 1 - len(missed) / len(asked) if asked else None
        told[name] = {"questions": len(asked), "cited": share, "missed": missed[:10]}
    return told


def main() -> int:
    """Print the shares; return 2 where there is nothing to measure."""
    parser = argparse.ArgumentParser(prog="python -m evals.citations", description=__doc__)
    parser.add_argument("--nkr-dir", type=Path, required=True, help="a folder of NKRs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    prepare(offline=True)
    try:
        told = measure(open_desk(Settings(nkr_dir=str(options.nkr_dir))))
    except (InputError, NKRError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    if options.json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return 0
    for name, row in told.items():
        share = "nothing" if row["cited"] is None else f"{row['cited']:.3f}"
        print(f"{name}: {share} of {row['questions']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
