"""Where a run is kept: the id of a video, its folders, and the database of all runs."""

import hashlib
import re
import unicodedata
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graphs.distill.context import Context
from tools.errors import InputError


def video_id(path: Path, sha256: str) -> str:
    """Return the id of a video: a slug of its name and eight digits of its content's hash."""
    ascii_name = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:40].strip("-")
    return f"{slug or 'video'}-{sha256[:8]}"


def thread_id(video: str) -> str:
    """Return the LangGraph thread of a video's run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"nkr:{video}"))


@dataclass(frozen=True)
class RunFolder:
    """The folder of one video's run."""

    path: Path

    @property
    def evidence(self) -> Path:
        """What was measured."""
        return self.path / "evidence"

    @property
    def corpus(self) -> Path:
        """What was written about it."""
        return self.path / "corpus"

    @property
    def replies(self) -> Path:
        """What the agents' model replied."""
        return self.path / "corpus" / "replies"

    @property
    def calls(self) -> Path:
        """What each call to it cost."""
        return self.path / "corpus" / "calls.jsonl"

    @property
    def train(self) -> Path:
        """The adapter and its checkpoints."""
        return self.path / "train"

    @property
    def exams(self) -> Path:
        """What each examination found unknown."""
        return self.path / "train" / "exams"

    @property
    def report(self) -> Path:
        """Everything that was counted and measured."""
        return self.path / "report.json"

    @property
    def table(self) -> Path:
        """What each round taught, by form."""
        return self.path / "report.md"

    @property
    def picture(self) -> Path:
        """The same as a picture."""
        return self.path / "recall.png"

    @property
    def nkr(self) -> Path:
        """Where the finished NKR is published."""
        return self.path.parent / "nkrs" / self.path.name


def open_runs(out: Path) -> Path:
    """Make the folder of all runs and return its absolute path.

    Raises InputError where it cannot be written.
    """
    try:
        out = out.expanduser().resolve()
        str(out).encode()
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
    except UnicodeEncodeError as error:
        told = str(out).encode(errors="replace").decode()
        raise InputError(f"The name of {told} is not valid UTF-8: choose another --out.") from error
    except (OSError, RuntimeError) as error:
        # `expanduser` raises RuntimeError where there is no such user.
        reason = (getattr(error, "strerror", None) or str(error)).lower().rstrip(".")
        raise InputError(
            f"The folder {out} cannot be written ({reason}): choose another one with --out."
        ) from error
    return out


def database(out: Path) -> Path:
    """Return the file of LangGraph's checkpoints and node cache."""
    return out / "graph.sqlite"


def lasting_settings(context: Context, video: Path) -> dict[str, Any]:
    """Return all that decides what an NKR holds, but for the video itself."""
    from tools.whisper import WhisperModels, that_hear
    from training.backbone import EMBEDDED, weights_hash

    # A newer version of this project may bring other weights under the same name.
    folder = EMBEDDED if context.backbone == "embedded" else Path(context.backbone)
    weights = weights_hash(folder) if folder.is_dir() else ""
    # One that was fetched since hears better.
    heard_by = asdict(that_hear(WhisperModels(context.whisper, context.align, context.diarize)))
    return {
        **context.lasting(),
        **heard_by,
        "subtitles": subtitles_hash(video),
        "weights": weights,
    }


def subtitles_hash(video: Path) -> str:
    """Return a hash of the subtitle files beside a video."""
    from tools.subtitles import find_sidecars

    digest = hashlib.sha256()
    for path in find_sidecars(video):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
