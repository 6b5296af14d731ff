"""Checkpoints of a training: sealed with their hashes when whole, used while these hold."""

import json
import shutil
from pathlib import Path

from training.hashing import file_sha256

_SEAL = "sha256.json"


def prepare(folder: Path, fingerprint: str, resume: bool) -> Path | None:
    """Return the checkpoint to go on from, after clearing away all that cannot be used."""
    stamp = folder / "fingerprint"
    told = fingerprint.encode()
    if not resume or not stamp.is_file() or stamp.read_bytes() != told:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    stamp.write_bytes(told)
    whole = None
    found = folder.glob("checkpoint-*")
    for path in sorted(found, key=lambda path: int(path.name.rpartition("-")[2]), reverse=True):
        if whole is None and _is_whole(path):
            whole = path
        else:
            shutil.rmtree(path)
    return whole


def seal(checkpoint: Path) -> None:
    """Note the hashes of a checkpoint that was written to its end, and remove those before it."""
    (checkpoint / _SEAL).write_text(json.dumps(_hashes(checkpoint)))
    for other in checkpoint.parent.glob("checkpoint-*"):
        if other != checkpoint:
            shutil.rmtree(other)


def _is_whole(checkpoint: Path) -> bool:
    """Tell whether a checkpoint was sealed, and its files are what they were then."""
    try:
        return bool(json.loads((checkpoint / _SEAL).read_bytes()) == _hashes(checkpoint))
    except (OSError, ValueError):
        return False


def _hashes(checkpoint: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in checkpoint.iterdir() if path.name != _SEAL}
