"""What the router answers with: the library, one backbone for all its NKRs, and the embedder."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from graphs.library import Library, Volume
from tools.embedding import Embedder
from tools.errors import InputError
from training.answerer import Answerer
from training.rack import Rack
from training.remote import RemoteEngine

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of answering, from which a desk is made."""

    nkr_dir: str = field(
        default="runs/nkrs", metadata={"description": "The folder of the NKRs that are asked."}
    )
    videos: str | None = field(
        default=None,
        metadata={"description": "A folder of the videos, for looking at them again."},
    )
    backbone: str | None = field(
        default=None,
        metadata={"description": "Where the NKRs' backbone is, if not where its name says."},
    )
    device: Literal["auto", "cpu", "cuda"] = field(
        default="auto",
        metadata={"description": "Where the backbone is: `auto` takes a GPU that is there."},
    )
    engine_url: str | None = field(
        default=None,
        metadata={"description": "An OpenAI-compatible server that generates, such as vLLM."},
    )
    slots: int = field(default=8, metadata={"description": "Adapters in the model at a time."})
    memory: int = field(
        default=1 << 30, metadata={"description": "Bytes of adapters kept beside the model."}
    )


class Desk:
    """Answers about the videos of one library; from any thread."""

    def __init__(self, settings: Settings) -> None:
        from training.backbone import EMBEDDED_NAME, load_backbone, load_tokenizer

        self.settings = settings
        self.library = Library(Path(settings.nkr_dir))
        volumes = self.library.volumes()
        if not volumes:
            told = next(iter(self.library.problems.values()), "distil a video first.")
            raise InputError(f"There is no NKR in {settings.nkr_dir} that can be read: {told}")
        name = next(iter(volumes.values())).nkr.manifest.backbone.name
        source = settings.backbone or ("embedded" if name == EMBEDDED_NAME else name)
        self.engine: Rack | RemoteEngine
        if settings.engine_url:
            tokenizer = load_tokenizer(source)
            self.engine = RemoteEngine(settings.engine_url, name=name, tokenizer=tokenizer)
        else:
            backbone = load_backbone(source, backbone_name=name, device=settings.device)
            self.engine = Rack(backbone, slots=settings.slots, memory=settings.memory)
        self._embedder = Embedder()
        self._embedding = threading.Lock()

    def volume(self, name: str) -> Volume:
        """Return the NKR of an id; raises InputError where there is none."""
        found = self.library.volumes().get(name)
        if found is None:
            raise InputError(self.library.problems.get(name) or f"There is no NKR {name!r} here.")
        return found

    def answerer(self, volume: Volume | None) -> Answerer:
        """Return what answers through an NKR's weights; None is the bare backbone."""
        return self.engine.of(volume.nkr if volume else None)

    def embed_all(self, texts: Sequence[str]) -> "np.ndarray":
        """Return the unit-length embedding of each text [texts, dimensions]."""
        # One at a time: the threads of many would fight for the same cores.
        with self._embedding:
            return self._embedder.embed(texts)

    def embed(self, *texts: str) -> "np.ndarray":
        """Return the unit-length embedding of texts taken together [dimensions]."""
        return self.embed_all([" ".join(texts)])[0]

    def close(self) -> None:
        """Give the backbone back."""
        self.engine.close()


def open_desk(settings: Settings) -> Desk:
    """Return the desk of some settings; the same one as long as they stay, to every thread."""
    with _opening:
        return _opened(settings)


@lru_cache(maxsize=1)
def _opened(settings: Settings) -> Desk:
    return Desk(settings)


_opening = threading.Lock()
