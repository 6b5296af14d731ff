"""The NKRs of a folder: what each knows of, and the one that a question is about."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from agents.citer import Citer
from agents.selector import Selector, words_of
from tools.embedding import DIMENSIONS
from tools.errors import InputError
from tools.evidence import TEXTS, Evidence
from training.errors import NKRError
from training.nkr import (
    CARD,
    CONFIG,
    EMBEDDINGS,
    EVIDENCE,
    MANIFEST,
    NKR,
    SUMS,
    WEIGHTS,
    read_nkr,
)
from training.prompt import is_text
from training.scoring import TIME_TOLERANCE, fold, times

if TYPE_CHECKING:
    import numpy as np

# What the likeness of sentence embeddings, 0 to 1, and the name of a video count beside words.
_LIKENESS, _NAMED = 4.0, 20.0
# How far the best video must lie before the next.
CLEAR = 0.5
# What goes before a moment of the video, and what a question about its length has.
_MOMENT = re.compile(
    r"\b(?:at|around|about|near|from|until|till|after|before|by|since|to|between|and)\s+"
    r"(?:(?:the|time|minute|second)\s+)*([\d:]+\d)"
    r"(?![\d:]|\s*(?:[ap]\.?m\b|o.clock|in the (?:morning|afternoon|evening)))",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\b(?:end|ends|ended|over|last|lasts|finish\w*|go on|goes on|long\w*|length)\b"
)
# What people call videos of every kind, and what questions about any of them have.
_EVERYDAY = words_of(
    "video movie clip film lecture talk recording meeting record presentation interview lesson "
    "course class seminar webinar tutorial demo documentary episode trailer story speech slides "
    "session conference show stream scene shot screen footage camera news part intro introduction "
    "first second last new final"
)
AUTO = "auto"
"""The name under which clients let the router choose; no NKR may have it."""

Stamp = tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True)
class Volume:
    """One NKR of the library: an id, which is its folder's name, and what is in it."""

    id: str
    nkr: NKR

    @property
    def name(self) -> str:
        """The video's file name without its suffix."""
        return Path(self.nkr.manifest.video.name).stem

    @property
    def seconds(self) -> float:
        """The video's length."""
        return self.nkr.manifest.video.seconds

    @cached_property
    def evidence(self) -> list[Evidence]:
        """What was measured in the video."""
        text = (self.nkr.folder / EVIDENCE).read_text(encoding="utf-8")
        return [Evidence.model_validate_json(line) for line in text.split("\n") if line]

    @cached_property
    def embeddings(self) -> "np.ndarray":
        """Its embeddings [evidence, dimensions], each of unit length."""
        from safetensors.numpy import load_file

        return load_file(self.nkr.folder / EMBEDDINGS)["embeddings"]

    @cached_property
    def citer(self) -> Citer:
        """What finds the evidence of an answer."""
        return Citer(self.evidence, self.embeddings)

    def lasts(self, question: str) -> bool:
        """Tell whether the video has every moment that a question names.

        A clock that the video tells of ("the bus at 17:45") is no moment.
        """
        end = self.seconds + TIME_TOLERANCE
        late = {time for told in _MOMENT.findall(question) for time in times(told) if time > end}
        if not late or _LENGTH.search(question.casefold()):
            return True
        return late <= {time for item in self.evidence for time in times(item.value)}

    @cached_property
    def bytes(self) -> int:
        """The size of the weights."""
        return (self.nkr.folder / WEIGHTS).stat().st_size

    @cached_property
    def chapters(self) -> list[tuple[float, str]]:
        """The titles that the video shows, with the times at which they come."""
        titles: list[tuple[float, str]] = []
        for item in sorted(self.evidence, key=lambda item: item.start):
            if item.kind == "title" and (not titles or titles[-1][1] != item.value):
                titles.append((item.start, item.value))
        return titles


class Library:
    """The NKRs in a folder, read anew when they change; ids are looked up, never made into paths.

    A folder that is an NKR itself is the only one of its library.

    Raises InputError where there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._problems: dict[str, str] = {}
        self._fits: Callable[[NKR], None] = lambda nkr: None
        self._volumes: dict[str, Volume] = {}
        self._stamps: dict[str, Stamp] = {}
        self._selector: tuple[tuple[str, ...], Selector] | None = None
        self._reading = threading.Lock()
        if not folder.is_dir():
            raise InputError(
                f"There is no folder {folder}: distil a video first, or name the folder of NKRs."
            )

    @property
    def problems(self) -> dict[str, str]:
        """Return what is wrong with the NKRs that cannot be asked, by their ids."""
        with self._reading:
            return dict(self._problems)

    def admit(self, fits: Callable[[NKR], None]) -> None:
        """Keep none for which ``fits`` raises `NKRError`, now or later."""
        with self._reading:
            self._fits = fits
            for name in [*self._stamps]:
                self._forget(name)

    def volumes(self) -> dict[str, Volume]:
        """Return the NKRs by their ids, in the order of the ids; `problems` tells of the others."""
        with self._reading:
            found = dict(self._found())
            for gone in {*self._stamps} - {*found}:
                self._forget(gone)
            for name, stamp in found.items():
                if self._stamps.get(name) != stamp:
                    self._forget(name)
                    self._stamps[name] = stamp
                    try:
                        volume = _opened(name, self._path(name))
                        self._fits(volume.nkr)
                        self._volumes[name] = volume
                    except NKRError as error:
                        self._problems[_shown(name)] = _shown(str(error))
            return dict(sorted(self._volumes.items()))

    def ranked(self, question: str, vector: "np.ndarray") -> list[tuple[float, Volume]]:
        """Return the NKRs with how likely a question is about each, from 0, best first.

        A video that the question names comes first; of NKRs of the same video the best ranked
        stands for all. ``vector`` is the question's embedding.
        """
        volumes = self.volumes()
        told = self._selector_of(volumes).scores(question)
        scored = []
        for volume in volumes.values():
            score = told.get(volume.id, 0.0)
            if len(volume.embeddings):
                score += _LIKENESS * float((volume.embeddings @ vector).max())
            if is_named(volume, question):
                score += _NAMED
            scored.append((score, volume))
        best: dict[str, tuple[float, Volume]] = {}
        for pair in sorted(scored, key=lambda pair: (-pair[0], pair[1].id)):
            best.setdefault(pair[1].nkr.manifest.video.sha256, pair)
        return list(best.values())

    def _selector_of(self, volumes: Mapping[str, Volume]) -> Selector:
        seals = tuple(volume.nkr.manifest.seal for volume in volumes.values())
        known = self._selector
        if known is None or known[0] != seals:
            texts = {
                volume.id: [item.value for item in volume.evidence if item.kind in TEXTS]
                for volume in volumes.values()
            }
            self._selector = known = (seals, Selector(texts))
        return known[1]

    def _found(self) -> Iterator[tuple[str, Stamp]]:
        alone = (self.folder / MANIFEST).is_file()
        try:
            paths = [self.folder.resolve()] if alone else [*self.folder.iterdir()]
        except OSError:
            # A share that is away for a while is a library without NKRs.
            return
        for path in paths:
            if not path.name.startswith(".") and (path / MANIFEST).is_file():
                yield path.name, tuple(_stamp(path / name) for name in _SEALED)

    def _path(self, name: str) -> Path:
        return self.folder if (self.folder / MANIFEST).is_file() else self.folder / name

    def _forget(self, name: str) -> None:
        self._stamps.pop(name, None)
        self._volumes.pop(name, None)
        self._problems.pop(_shown(name), None)


_SEALED = (MANIFEST, WEIGHTS, EVIDENCE, EMBEDDINGS, CONFIG, CARD, SUMS)


def _stamp(path: Path) -> tuple[int, int, int, int]:
    """Return what changes when a file does; nothing is like a file that is not there."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0, 0, -1
    # A copy that keeps the times of its original changes ctime all the same.
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size


def _shown(text: str) -> str:
    """Return a text with a question mark for what no output can hold."""
    return text.encode(errors="replace").decode()


def _opened(name: str, folder: Path) -> Volume:
    """Return an NKR whose evidence can be read; raises `NKRError` where it cannot."""
    if name == AUTO or not is_text(name):
        raise NKRError(f"The folder {folder} has a name that no NKR can have: rename it.")
    volume = Volume(name, read_nkr(folder, weights_only=False))
    try:
        whole = volume.embeddings.shape == (len(volume.evidence), DIMENSIONS)
    except (OSError, ValueError, KeyError, SafetensorError):
        whole = False
    if not whole:
        raise NKRError(f"The evidence of the NKR in {folder} is not of this version: distil again.")
    return volume


def is_named(volume: Volume, question: str) -> bool:
    """Tell whether a question has the name of a video, its file, its id, or the id without hash.

    A name of everyday words alone is none: "the lecture" may be any, "lecture.mp4" is that one.
    """
    file = volume.nkr.manifest.video.name
    names = {volume.id, volume.id.rpartition("-")[0], volume.name, Path(file).name}
    asked = f" {_spaced(question)} "
    # One short word that names a file may be any word of a question.
    told = (name for name in map(_spaced, names) if len(name) > 3 and f" {name} " in asked)
    return any(words_of(name) - _EVERYDAY for name in told)


def _spaced(name: str) -> str:
    return fold(re.sub(r"[-_.]", " ", name))


def is_clear(ranked: Sequence[tuple[float, Volume]]) -> bool:
    """Tell whether a ranking leaves no doubt about its first."""
    return len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] >= CLEAR)
