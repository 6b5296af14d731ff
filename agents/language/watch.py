"""One video as the agents have it before them: its frames, its evidence, and the tools."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from agents.language.pictures import ContactSheet, Frames
from tools.evidence import EvidenceStore
from tools.shared_reader import SharedReader
from tools.video import open_video
from tools.video_reader import Frame
from training.facts import Span

# Frames of a span that a describer and a verifier see, and of a contact sheet.
OF_SPAN, OF_VIDEO = 8, 25


class Watch:
    """May be used by several threads."""

    def __init__(self, video: Path, evidence: Path) -> None:
        self.store = EvidenceStore(evidence)
        self._reader = SharedReader(lambda: open_video(video))

    def span(self, span: Span | None, seconds: float) -> Frames | ContactSheet:
        """Return frames of a span, or a contact sheet of the whole video."""
        if span is None:
            return ContactSheet(self._evenly((0.0, seconds), OF_VIDEO))
        return Frames(self._evenly(span, OF_SPAN))

    @cached_property
    def tools(self) -> dict[str, Any]:
        """The LangChain tools by their names."""
        from tools.as_langchain import video_tools

        return {tool.name: tool for tool in video_tools(self._reader, self.store)}

    def _evenly(self, span: Span, count: int) -> Sequence[Frame]:
        """Return the frames in the middle of so many equal parts of a span, none twice."""
        start, end = span
        times = [start + (place + 0.5) * (end - start) / count for place in range(count)]
        return list({frame.time: frame for frame in self._reader.frames(times)}.values())
