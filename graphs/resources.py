"""What is loaded once and used by many nodes; never part of a graph's state."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import InputError

if TYPE_CHECKING:
    from agents.team import Team
    from tools.ocr import TextReader
    from tools.video import VideoReader
    from training.backbone import Backbone


@dataclass(frozen=True)
class Eyes:
    """A video opened for looking and reading, used by one thread at a time."""

    reader: "VideoReader"
    text: "TextReader"


class EyesPool:
    """Opens a video as often as threads look at it at the same time."""

    def __init__(self) -> None:
        self._idle: defaultdict[Path, list[Eyes]] = defaultdict(list)
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, path: Path) -> Iterator[Eyes]:
        """Lend eyes on a video that nobody else holds."""
        from tools.ocr import TextReader
        from tools.video import open_video

        with self._lock:
            eyes = self._idle[path].pop() if self._idle[path] else None
        eyes = eyes or Eyes(open_video(path), TextReader())
        try:
            yield eyes
        finally:
            with self._lock:
                self._idle[path].append(eyes)

    def close(self, path: Path) -> None:
        """Close what is open of a video."""
        with self._lock:
            for eyes in self._idle.pop(path, []):
                eyes.reader.close()


EYES = EyesPool()


@cache
def load_team(agents: str) -> "Team":
    """Return the planner, describer, question-writer and verifier behind a name."""
    from agents.embedded.team import embedded_team

    if agents != "embedded":
        raise InputError(f"There are no agents {agents!r} yet: give --agents embedded.")
    return embedded_team()


@cache
def load_backbone(name: str, backbone_name: str | None) -> "Backbone":
    """Return the loaded backbone; every NKR of the process is mounted on the same one."""
    from training import backbone

    return backbone.load_backbone(name, backbone_name=backbone_name)
