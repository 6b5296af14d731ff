"""One video as the agents have it before them: its frames, its evidence, and the tools."""

import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from agents.language.pictures import (
    TILE,
    ContactSheet,
    Frames,
    KeysAndMerged,
    KeysAndSheet,
    Pictures,
)
from tools.embedding import Embedder
from tools.evidence import EvidenceStore, Kind
from tools.frame_features import FrameFeatures
from tools.keyframes import choose, uniform
from tools.relevance import relevance
from tools.shared_reader import SharedReader
from tools.video import open_video
from tools.video_reader import Frame
from training.facts import Span

# Frames of a contact sheet of the video.
OF_VIDEO = 25
# Of a span: the keyframes, and the frames beside them that are small and share one picture. They
# are chosen from two frames a second, up to so many.
KEYS, BESIDE = 8, 16
FEWEST, A_SECOND, MOST = 16, 2.0, 64
SPANS_KEPT = 32
# The share of the tokens that the keyframes get.
KEY_TOKENS = 3072
TOLD: tuple[Kind, ...] = ("title", "text", "speech")


class Watch:
    """Chooses keyframes by one of `tools.keyframes.METHODS`. May be used by several threads.

    With ``merges`` the other frames are for a backbone that merges each of them into one token.
    """

    def __init__(
        self,
        video: Path,
        evidence: Path,
        *,
        method: str,
        looks: FrameFeatures,
        merges: bool = False,
    ) -> None:
        self._merges = merges
        self.store = EvidenceStore(evidence)
        self._reader = SharedReader(lambda: open_video(video))
        self._method = method
        self._looks = looks
        self._embedder = Embedder()
        # A span is described and verified before many others are.
        self._chosen = lru_cache(maxsize=SPANS_KEPT)(self._choose)
        self._choosing = threading.Lock()

    def span(self, span: Span | None, seconds: float, topics: Sequence[str] = ()) -> Pictures:
        """Return the keyframes of a span and a sheet of others, or a sheet of the whole video.

        Keyframes are those nearest to one of the ``topics``: what is asked, or what it is about.
        """
        if span is None:
            times = middles((0.0, seconds), OF_VIDEO)
            return ContactSheet(_once(self._reader.frames(times, TILE)))
        with self._choosing:
            keys, others = self._chosen(span, tuple(topics))
        frames = Frames(_once(self._reader.frames(keys)), KEY_TOKENS)
        if self._merges:
            return KeysAndMerged(frames, others, " ".join(topics))
        return KeysAndSheet(frames, ContactSheet(others))

    @cached_property
    def tools(self) -> dict[str, Any]:
        """The LangChain tools by their names."""
        from tools.as_langchain import video_tools

        return {tool.name: tool for tool in video_tools(self._reader, self.store)}

    def _choose(self, span: Span, topics: Sequence[str]) -> tuple[list[float], list[Frame]]:
        """Return the times of the keyframes, and other frames, small."""
        count = min(MOST, max(FEWEST, round((span[1] - span[0]) * A_SECOND)))
        frames = _once(self._reader.frames(middles(span, count), TILE))
        if len(frames) <= KEYS:
            return [frame.time for frame in frames], []
        features = self._looks.of_images([frame.image for frame in frames])
        told = self.store.between(*span, kinds=TOLD)
        texts = [
            " ".join(item.value for item in told if item.start <= frame.time < item.end)
            for frame in frames
        ]
        near = relevance(topics, features, texts, looks=self._looks, embedder=self._embedder)
        keys = choose(self._method, features, near, KEYS)
        rest = [frame for place, frame in enumerate(frames) if place not in keys]
        sheet = [rest[place] for place in uniform(len(rest), BESIDE)]
        return [frames[place].time for place in keys], sheet


def middles(span: tuple[float, float], count: int) -> list[float]:
    """Return the middles of so many equal parts of a span."""
    start, end = span
    return [start + (place + 0.5) * (end - start) / count for place in range(count)]


def _once(frames: list[Frame]) -> list[Frame]:
    return list({frame.time: frame for frame in frames}.values())
