"""The reference corpus: the frozen records of a generated video of 60 shots."""

import gzip
from pathlib import Path

from training.corpus import Record

REFERENCE = Path(__file__).with_name("reference.jsonl.gz")


def reference() -> list[Record]:
    """Return the frozen records."""
    lines = gzip.decompress(REFERENCE.read_bytes()).decode("utf-8").splitlines()
    return [Record.model_validate_json(line) for line in lines]
