"""Videos of every kind, whole and damaged: each is read, or refused in one sentence.

Each file is looked at by a process of its own kind that is started again where a file ends it: a
decoder's crash and a hang are counted too.
"""

import multiprocessing
import random
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from evals.clips import CLIPS, Clip, numbered, read_number, steady, write_video
from evals.faults.subject import Tried, say

LIMIT = 120.0
# What is damaged: one file of each container and codec.
BASES = (
    "h264",
    "h264 in a transport stream",
    "hevc",
    "vp9",
    "av1",
    "mpeg4 avi",
    "variable rate mkv",
)


def formats(folder: Path, videos: Path | None) -> list[Tried]:
    """Read generated videos of every kind against their clocks, and a folder of one's own."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = {name: make(folder) for name, make in {**CLIPS, **_more()}.items()}
    lost, frames = [], 0
    for name, clip in clips.items():
        wrong, count = against_clock(clip)
        frames += count
        say(f"{name}: {wrong or f'{count} frames right'}")
        if wrong:
            lost.append(f"{name}: {wrong}")
    rows = [
        Tried(f"a kind of video, {frames} frames against their burnt-in clocks", len(clips), lost)
    ]
    with Looker() as looker:
        own = sorted(path for path in videos.iterdir() if path.is_file()) if videos else []
        paths = [*(clip.path for clip in clips.values()), *own]
        rows.append(_looked("a kind of video, looked at, heard and read whole", looker, paths))
    return rows


def fuzzed(folder: Path, count: int, seed: int) -> Tried:
    """Look at so many damaged files: cut off anywhere, or with bytes of theirs changed."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"fuzz-{seed}")
    bases = [CLIPS[name](folder).path for name in BASES]

    def files() -> Iterator[Path]:
        for number in range(count):
            base = bases[number % len(bases)]
            path = folder / f"fuzz-{number:04d}{base.suffix}"
            path.write_bytes(_damaged(base.read_bytes(), rng))
            yield path
            path.unlink()

    with Looker() as looker:
        return _looked("a damaged file", looker, files(), every=50)


def against_clock(clip: Clip) -> tuple[str, int]:
    """Return what is wrong with the frames of a clip and their times, and how many are right.

    A frame that is asked for by its time must show the number that is burnt into it, and its time
    must be right to within a frame.
    """
    from tools.video import open_video

    readable = [n for n in range(len(clip.times)) if n not in clip.unreadable]
    # AVI knows no first time but zero, and others keep whole milliseconds.
    with open_video(clip.path) as reader:
        shift = reader.info.start - clip.times[0] if clip.path.suffix == ".avi" else 0.0
        frame = 1 / reader.info.fps
        asked = [clip.times[n] + shift + 0.002 for n in readable]
        found = list(reader.frames(asked))
    if len(found) != len(readable):
        return f"{len(found)} of {len(readable)} frames were found", len(found)
    for number, one in zip(readable, found, strict=True):
        if read_number(one.image) != number:
            return f"frame {number} shows {read_number(one.image)}", number
        if abs(one.time - clip.times[number] - shift) > frame:
            return f"frame {number} is at {one.time:.3f} s", number
    return "", len(found)


class Looker:
    """A process that looks at files; another one takes its place where a file ends it."""

    def __enter__(self) -> "Looker":
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    def look(self, path: Path) -> str:
        """Return ``read``, ``told: ...`` or what went wrong."""
        self._pipe.send(str(path))
        try:
            if self._pipe.poll(LIMIT):
                return str(self._pipe.recv())
            found = f"hung for {LIMIT:.0f} s"
        except EOFError:
            self._process.join()
            found = f"crashed with {self._process.exitcode}"
        self._process.kill()
        self._begin()
        return found

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_look_at_all, args=(other,), daemon=True)
        self._process.start()
        other.close()


def _looked(
    what: str, looker: Looker, paths: "Iterator[Path] | list[Path]", every: int = 1
) -> Tried:
    lost: list[str] = []
    counts = {"read": 0, "told": 0}
    tried = 0
    for path in paths:
        found = looker.look(path)
        tried += 1
        kind = found.partition(":")[0]
        if kind in counts:
            counts[kind] += 1
        else:
            lost.append(f"{path.name}: {found}")
        if tried % every == 0 or kind not in counts:
            say(f"{tried} {path.name}: {found}")
    return Tried(f"{what} ({counts['read']} read, {counts['told']} told)", tried, lost)


def _look_at_all(pipe: Connection) -> None:
    from graphs.failures import sentence

    while True:
        path = Path(pipe.recv())
        try:
            _look_at(path)
            pipe.send("read")
        except Exception as error:
            told = sentence(error)
            pipe.send(f"told: {told}" if told else traceback.format_exc())


def _look_at(path: Path) -> None:
    """Do with a file what a run does before it plans."""
    from graphs.distill.nodes.perceive import measure
    from graphs.distill.resources import EYES
    from tools.shots import detect_shots
    from tools.speech import transcribe
    from tools.whisper import WhisperModels

    try:
        with EYES.borrow(path) as eyes:
            shots = detect_shots(eyes.reader)
            for number, shot in enumerate(shots[:3]):
                measure(eyes, number, shot.start, shot.end)
    finally:
        EYES.close(path)
    transcribe(path, models=WhisperModels(None, None, None))


def _damaged(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    if rng.random() < 0.3:
        return bytes(changed[: rng.randrange(len(changed))])
    # Half of them where the container keeps its books, which is where it hurts.
    first = min(len(changed), 600) if rng.random() < 0.5 else len(changed)
    for _ in range(rng.choice((1, 3, 10, 100))):
        changed[rng.randrange(first)] = rng.randrange(256)
    return bytes(changed)


def _more() -> dict[str, Callable[[Path], Clip]]:
    """Return the kinds that no other test needs."""

    def hevc(folder: Path) -> Clip:
        images = [numbered(n) for n in range(30)]
        path = folder / "hevc-ten.mp4"
        options = {"x265-params": "log-level=none"}
        write_video(path, images, steady(), codec="libx265", pixels="yuv420p10le", options=options)
        return Clip(path, steady())

    def black(folder: Path) -> Clip:
        images = [np.zeros((108, 192, 3), np.uint8)] * 30
        # All its frames are number 0: none can be told from another.
        write_video(folder / "black.mp4", images, steady())
        return Clip(folder / "black.mp4", steady(1))

    return {"hevc of ten bits": hevc, "black": black}
