"""The NKR on disk: one folder that PEFT and vLLM load as it is, published and read whole."""

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from training.backbone import Backbone
from training.calibration import Calibration
from training.errors import NKRError
from training.hashing import file_sha256
from training.manifest import (
    FORMAT,
    MadeFor,
    Manifest,
    OtherFormatError,
    Taught,
    Video,
    from_bytes,
    to_bytes,
)
from training.model_card import model_card

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NKR", "MadeFor", "Manifest", "Taught", "Video", "publish", "read_nkr"]

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
MANIFEST = "nkr.json"
CARD = "README.md"
EVIDENCE = "evidence.jsonl"
EMBEDDINGS = "evidence.safetensors"
SUMS = "SHA256SUMS"

_FILES = {WEIGHTS, CONFIG, MANIFEST, CARD, EVIDENCE, EMBEDDINGS}
_PACKAGES = ("torch", "transformers", "peft", "trl")
_SUM = re.compile(r"([0-9a-f]{64})  ([^/\\]+)")


@dataclass(frozen=True)
class NKR:
    """A checked NKR: its folder, and what its `nkr.json` says.

    ``silenced`` is true where every weight of the adapter is zero: its answers are the backbone's.
    """

    folder: Path
    manifest: Manifest
    silenced: bool = False


def publish(
    folder: Path,
    *,
    adapter: Path,
    evidence: Path,
    embeddings: "np.ndarray",
    backbone: Backbone,
    video: Video,
    corpus: Taught,
    scores: Mapping[str, float | None],
    seed: int,
    moments: bool = False,
    calibration: Calibration | None = None,
) -> NKR:
    """Write an NKR whole or not at all, in place of an older one.

    ``adapter`` is the folder that training wrote. ``embeddings`` is float32 [lines, dimensions],
    a row for each line of the JSON Lines file ``evidence``. Raises `NKRError` where the folder
    cannot be written.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name in (WEIGHTS, CONFIG):
            shutil.copyfile(adapter / name, temporary / name)
        manifest = Manifest(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            video=video,
            backbone=MadeFor(name=backbone.name, revision=backbone.revision),
            corpus=corpus,
            scores=dict(scores),
            moments=moments,
            calibration=calibration,
            seed=seed,
            versions={name: version(name) for name in _PACKAGES},
            files={name: file_sha256(temporary / name) for name in (WEIGHTS, CONFIG)},
        )
        (temporary / MANIFEST).write_bytes(to_bytes(manifest))
        (temporary / CARD).write_text(model_card(folder.name, manifest), encoding="utf-8")
        shutil.copyfile(evidence, temporary / EVIDENCE)
        _write_embeddings(temporary / EMBEDDINGS, embeddings)
        sums = "".join(f"{file_sha256(temporary / name)}  {name}\n" for name in sorted(_FILES))
        (temporary / SUMS).write_text(sums, encoding="utf-8")
        _put_in_place(temporary, folder)
    except OSError as error:
        raise NKRError(
            f"The NKR could not be written to {folder} ({error.strerror or error}): "
            "make room there, or choose another place with --out."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return read_nkr(folder, weights_only=False)


def read_nkr(folder: Path, *, weights_only: bool) -> NKR:
    """Read an NKR and check its files against their hashes.

    With ``weights_only`` nothing but the adapter, its config and `nkr.json` is read, and an adapter
    whose weights were all set to zero passes as ``silenced``: that is how one shows that the
    answers come from the weights. Raises `NKRError` where something is missing, damaged or of
    another format.
    """
    if not folder.is_dir():
        raise NKRError(f"There is no NKR at {folder}: give the folder that distill printed.")
    try:
        manifest = from_bytes(_read(folder, MANIFEST))
    except OtherFormatError as error:
        raise NKRError(
            f"The NKR in {folder} has format {error}, and this version reads format {FORMAT}: "
            "install the version that made it, or distil the video again."
        ) from error
    except NKRError:
        raise
    except ValueError as error:
        raise _damaged(folder, MANIFEST) from error
    silenced = weights_only and _all_zero(_read(folder, WEIGHTS))
    _check(folder, {n: s for n, s in manifest.files.items() if not (silenced and n == WEIGHTS)})
    if not weights_only:
        sums = dict(_parse_sums(folder))
        if not set(sums) >= _FILES:
            raise _damaged(folder, SUMS)
        _check(folder, sums)
    return NKR(folder, manifest, silenced)


def _all_zero(raw: bytes) -> bool:
    """Tell whether a sound safetensors file holds nothing but zeros; its header's length leads."""
    from safetensors import SafetensorError, deserialize

    try:
        return bool(tensors := deserialize(raw)) and not any(any(t["data"]) for _, t in tensors)
    except SafetensorError:
        return False


def _check(folder: Path, sums: Mapping[str, str]) -> None:
    for name, expected in sums.items():
        if hashlib.sha256(_read(folder, name)).hexdigest() != expected:
            raise _damaged(folder, name)


def _parse_sums(folder: Path) -> list[tuple[str, str]]:
    text = _read(folder, SUMS).decode("utf-8", errors="replace")
    lines = [_SUM.fullmatch(line) for line in text.splitlines()]
    if not all(lines):
        raise _damaged(folder, SUMS)
    return [(line[2], line[1]) for line in lines if line]


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        inside = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
        if name == MANIFEST and inside:
            raise NKRError(
                f"{folder} is a folder of NKRs, not one: give one of them, such as {inside[0]}."
            ) from None
        published = folder.parent / "nkrs" / folder.name
        if name == MANIFEST and (published / MANIFEST).is_file():
            raise NKRError(
                f"{folder} is the run that made an NKR: give the NKR itself, {published}."
            ) from None
        raise NKRError(
            f"{name} is missing from the NKR in {folder}: copy the whole folder again, "
            "or distil the video again."
        ) from None
    except OSError as error:
        raise NKRError(
            f"{name} of the NKR in {folder} cannot be read ({error.strerror}): "
            "make it readable, or copy the folder again."
        ) from error


def _damaged(folder: Path, name: str) -> NKRError:
    return NKRError(
        f"{name} of the NKR in {folder} is damaged: copy the folder again, "
        "or distil the video again."
    )


def _write_embeddings(path: Path, embeddings: "np.ndarray") -> None:
    from safetensors.numpy import save

    path.write_bytes(save({"embeddings": embeddings}))


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename a folder over another: a reader meets the old one, none, or the new one whole."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    temporary.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
