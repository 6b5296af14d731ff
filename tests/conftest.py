"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evals.clips import CLIPS, Clip

SHARED_VIDEOS = Path(__file__).resolve().parents[2] / "shared" / "videos"


@pytest.fixture(scope="session")
def shared_videos() -> Path:
    """The folder of real footage and hard files beside the repository."""
    if not SHARED_VIDEOS.is_dir():
        pytest.skip(f"needs the footage in {SHARED_VIDEOS}")
    return SHARED_VIDEOS


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Clip]:
    """Make one of `CLIPS` by name, once a session."""
    made: dict[str, Clip] = {}

    def make(name: str) -> Clip:
        if name not in made:
            made[name] = CLIPS[name](tmp_path_factory.mktemp("clips"))
        return made[name]

    return make
