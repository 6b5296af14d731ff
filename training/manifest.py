"""What `nkr.json` says of an NKR: its video, backbone, corpus, scores and files, under a seal."""

import hashlib
import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from training.calibration import Calibration

FORMAT: Final = 1
_OPEN = "0" * 64


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Video(_Entry):
    """Which video an NKR knows; ``seconds`` is its length."""

    name: str
    sha256: str
    seconds: float
    width: int
    height: int


class MadeFor(_Entry):
    """Which backbone an NKR is mounted on; ``revision`` tells weights of one name apart."""

    name: str
    revision: str


class Taught(_Entry):
    """The corpus that an NKR was made from: its counts and the SHA-256 of its file."""

    sha256: str
    counts: dict[str, int]


class Manifest(_Entry):
    """The content of `nkr.json`.

    ``created`` is in UTC; ``moments`` is true where answers are learnt behind their moments, and
    told without; ``calibration`` makes confidences, and is None where none was fitted;
    ``files`` holds the SHA-256 of the adapter's two files; ``seal`` is that of this file itself,
    taken with zeros in the seal's place.
    """

    format: Literal[1] = FORMAT
    created: str
    video: Video
    backbone: MadeFor
    corpus: Taught
    scores: dict[str, float | None]
    moments: bool = False
    calibration: Calibration | None = None
    seed: int
    versions: dict[str, str]
    files: dict[str, str]
    seal: str = _OPEN


class OtherFormatError(ValueError):
    """The manifest is of a format that this version does not read."""


def to_bytes(manifest: Manifest) -> bytes:
    """Return the bytes of `nkr.json`, sealed."""
    raw = (manifest.model_copy(update={"seal": _OPEN}).model_dump_json(indent=2) + "\n").encode()
    return raw.replace(_line(_OPEN), _line(hashlib.sha256(raw).hexdigest()))


def from_bytes(raw: bytes) -> Manifest:
    """Return the manifest that bytes hold.

    Raises `OtherFormatError` for another format, and ValueError where a byte is not as it was
    written.
    """
    try:
        found: Any = json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if isinstance(found, dict) and found.get("format") != FORMAT:
        raise OtherFormatError(str(found.get("format")))
    # NKRs from before there was a calibration hold an empty threshold in its place.
    if isinstance(found, dict) and found.get("threshold", "") is None:
        del found["threshold"]
    manifest = Manifest.model_validate(found)
    if hashlib.sha256(raw.replace(_line(manifest.seal), _line(_OPEN))).hexdigest() != manifest.seal:
        raise ValueError("the seal is broken")
    return manifest


def _line(seal: str) -> bytes:
    return f'"seal": "{seal}"'.encode()
