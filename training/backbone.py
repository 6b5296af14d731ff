"""The frozen vision-language model that an NKR is mounted on, and the one way to load it."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from training.errors import NKRError
from training.hub import can_be_asked
from training.no_vision import without_tower

EMBEDDED = Path(__file__).parent / "embedded"
WARM_START = EMBEDDED / "warm_start"
# The file of a warm start that says for which weights it was made.
REVISION = "revision"
EMBEDDED_NAME = "nkr-embedded-v7"
_EMBEDDED_NAMES = "nkr-embedded-"


@dataclass(frozen=True)
class Backbone:
    """A loaded model with its processor; ``revision`` tells weights of one name apart.

    ``warm_start`` is the adapter that its trainings start from, where it has one.
    """

    model: Any
    processor: Any
    name: str
    revision: str
    warm_start: Path | None = None

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return self.processor.tokenizer


def _is_of(warm_start: Path, revision: str) -> bool:
    """Tell whether a warm start was made on weights of this revision: on others it is worthless."""
    try:
        return (warm_start / REVISION).read_text(encoding="ascii").strip() == revision
    except OSError:
        return False


def weights_hash(folder: Path) -> str:
    """Return the SHA-256 over a model folder's safetensors files, in the order of their names."""
    paths = sorted(folder.resolve().glob("*.safetensors"))
    stats = [(path, path.stat()) for path in paths]
    return _hash_of(tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats))


@lru_cache(maxsize=16)
def _hash_of(files: tuple[tuple[Path, int, int], ...]) -> str:
    # Gigabytes take a while: once a process, as long as the files stay as they are.
    digest = hashlib.sha256()
    for path, _, _ in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def published_name(folder: Path, name: str | None) -> str:
    """Return the name that an NKR gives to the model in a local folder: never a path."""
    if name:
        return name
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NKRError(
            f"{folder} has no readable config.json: name a folder that holds a saved model."
        ) from error
    stored_name = stored.get("_name_or_path") or ""
    if not stored_name or Path(stored_name).is_absolute():
        raise NKRError(
            f"The model in {folder} does not say its name: give it one with --backbone-name."
        )
    return str(stored_name)


def source_of(name: str) -> str:
    """Return where the backbone of a name is loaded from: the hub, or here, whatever its version.

    NKRs of another version do not fit, which `check_backbone` tells; no hub has it.
    """
    return "embedded" if name.startswith(_EMBEDDED_NAMES) else name


def load_backbone(
    name: str = "embedded",
    *,
    device: str = "auto",
    backbone_name: str | None = None,
    sees: bool = False,
) -> Backbone:
    """Load a backbone: ``embedded``, a hub name, or a folder that `save_pretrained` wrote.

    Weights are loaded in float32 on a CPU and bfloat16 on a GPU, and frozen; those of the vision
    tower only where it ``sees``. ``device`` is auto, cpu or cuda. Raises `NKRError` where there is
    no such model or device.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise NKRError("There is no CUDA device here: give --device cpu, or leave it out.")
    folder = EMBEDDED if name == "embedded" else Path(name)
    local = folder.is_dir()
    source = str(folder) if local else name
    if folder.exists() and not local:
        raise NKRError(
            f"The backbone {name!r} is a file: give the folder that holds a saved model."
        )
    if name == "embedded" and not (folder / "model.safetensors").is_file():
        raise NKRError(
            "The embedded backbone's weights are missing: get the whole project again, "
            "or make them with `python -m training.pretrain`."
        )
    kept = local or not can_be_asked(name)
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=kept)
        processor = AutoProcessor.from_pretrained(source, local_files_only=kept)
        with _quiet():
            model: Any = AutoModelForImageTextToText.from_pretrained(
                source,
                config=config if sees else without_tower(config),
                local_files_only=kept,
                dtype=torch.float32 if device == "cpu" else torch.bfloat16,
                attn_implementation="sdpa",
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise NKRError(
            f"The backbone {name!r} could not be loaded ({_first_line(error)}): give `embedded`, "
            "a folder that holds a saved model, or a hub name that can be reached."
        ) from error
    if local:
        shown = EMBEDDED_NAME if name == "embedded" else published_name(folder, backbone_name)
        revision = weights_hash(folder)
    else:
        shown = name
        revision = getattr(model.config, "_commit_hash", None) or "unknown"
    model.requires_grad_(False)
    model.eval()
    started = name == "embedded" and _is_of(WARM_START, revision)
    return Backbone(model.to(device), processor, shown, revision, WARM_START if started else None)


def load_tokenizer(name: str) -> Any:
    """Load the tokenizer of a backbone alone; raises `NKRError` where there is none."""
    from transformers import AutoTokenizer

    folder = EMBEDDED if name == "embedded" else Path(name)
    local = folder.is_dir()
    kept = local or not can_be_asked(name)
    try:
        return AutoTokenizer.from_pretrained(str(folder) if local else name, local_files_only=kept)
    except (OSError, ValueError) as error:
        raise NKRError(
            f"The tokenizer of {name!r} could not be loaded ({_first_line(error)})."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing be said of a tower's weights that are not read."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def uses_bf16(device: str) -> bool:
    """Tell whether bfloat16 is fast on this device; on a CPU without it, it is slower."""
    import torch

    if device == "cpu":
        able = torch.cpu.get_capabilities()
        return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return device != "cuda" or torch.cuda.is_bf16_supported()


def _first_line(error: Exception) -> str:
    return (
        str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no reason given"
    )
