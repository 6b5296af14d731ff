"""What the router answers with: the library, one backbone for all its NKRs, and the embedder."""

import threading
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from graphs.library import Library, Volume
from tools.embedding import Embedder
from tools.errors import InputError
from training.answerer import Answerer
from training.errors import NKRError
from training.mount import check_backbone
from training.nkr import NKR
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
    """Answers about the videos of one library; from any thread.

    There is one backbone, the one that most of the library's NKRs were made for; what was made for
    another is told as a problem of the library.
    """

    def __init__(self, settings: Settings) -> None:
        from training.backbone import load_backbone, load_tokenizer, source_of

        self.settings = settings
        self.closed = False
        self.library = Library(Path(settings.nkr_dir))
        names = Counter(volume.nkr.manifest.backbone.name for volume in self._volumes())
        name = names.most_common(1)[0][0]
        source = settings.backbone or source_of(name)
        self.engine: Rack | RemoteEngine
        if settings.engine_url:
            tokenizer = load_tokenizer(source)
            self.library.admit(partial(_check_name, name))
            self.engine = RemoteEngine(settings.engine_url, name=name, tokenizer=tokenizer)
        else:
            backbone = load_backbone(source, backbone_name=name, device=settings.device)
            self.library.admit(partial(check_backbone, backbone))
            self._volumes()
            self.engine = Rack(backbone, slots=settings.slots, memory=settings.memory)
        # Whoever drops a desk without closing it leaves no thread behind that holds the model.
        weakref.finalize(self, self.engine.close).atexit = False
        self._embedder = Embedder()
        self._embedding = threading.Lock()

    def _volumes(self) -> list[Volume]:
        """Return the library's NKRs. Raises InputError where there is none."""
        volumes = [*self.library.volumes().values()]
        if not volumes:
            told = next(iter(self.library.problems.values()), "distil a video first.")
            raise InputError(f"There is no NKR in {self.library.folder} that can be read: {told}")
        return volumes

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
        """Give the backbone back; what still asks is told so."""
        self.closed = True
        self.engine.close()


def open_desk(settings: Settings, *, anew: bool = False) -> Desk:
    """Return the desk of some settings; the same one as long as they stay, to every thread.

    One that was closed is given too, and tells so, but where it is to be opened ``anew``.
    """
    with _opening:
        desk = _opened(settings)
        if anew and desk.closed:
            _opened.cache_clear()
            desk = _opened(settings)
        return desk


def _check_name(name: str, nkr: NKR) -> None:
    """Raise `NKRError` for an NKR of another backbone than the engine's; it tells no revision."""
    if (made_for := nkr.manifest.backbone.name) != name:
        raise NKRError(
            f"The NKR in {nkr.folder} was made for the backbone {made_for}, and the engine has "
            f"{name}: distil the video again with that one."
        )


@lru_cache(maxsize=1)
def _opened(settings: Settings) -> Desk:
    return Desk(settings)


_opening = threading.Lock()
