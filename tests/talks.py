"""Small talks to distil, a small backbone to distil them with, and a finished run of one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from evals.clips import steady, write_video
from evals.faults.subject import write_backbone
from graphs.distill.context import Context
from graphs.distill.launch import distill

SIZE = (480, 270)
FPS = 5
SLIDES = (
    ("The Copper Kettle", (200, 30, 30)),
    ("Marta Lindqvist", (30, 60, 200)),
    ("Northgate Harbour", (20, 130, 50)),
)
SPEECH = """1
00:00:00,500 --> 00:00:03,000
Marta Lindqvist bought the kettle in 1921.

2
00:00:04,500 --> 00:00:07,000
She carried it to Northgate Harbour.
"""


def slide(title: str, colour: tuple[int, int, int]) -> np.ndarray:
    """A picture in one colour with a title in white."""
    image = Image.new("RGB", SIZE, colour)
    ImageDraw.Draw(image).text((30, 100), title, "white", ImageFont.load_default(40))
    return np.asarray(image)


def write_talk(folder: Path, name: str = "talk.mp4", slides: int = 3, seconds: int = 4) -> Path:
    """Write a talk of a few slides, and its subtitles beside it."""
    images = [slide(*SLIDES[i]) for i in range(slides) for _ in range(seconds * FPS)]
    path = write_video(folder / name, images, steady(len(images), FPS), key_every=FPS)
    path.with_suffix(".srt").write_text(SPEECH)
    return path


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A talk of three slides, 12 s."""
    return write_talk(tmp_path_factory.mktemp("talk"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small backbone with random weights."""
    return write_backbone(
        tmp_path_factory.mktemp("tiny"), [SPEECH, *(title for title, _ in SLIDES)]
    )


@pytest.fixture(scope="session")
def settings(tiny: Path) -> Callable[..., Context]:
    """Settings with the small backbone and few steps."""

    def make(out: Path, **other: Any) -> Context:
        chosen: dict[str, Any] = {"backbone": str(tiny), "backbone_name": "tiny", "max_steps": 3}
        # Random weights are sure of nothing: whatever they learn moves all that they say.
        chosen |= {"max_kl": 100.0, "min_unchanged": 0.0}
        return Context(out=str(out), **{**chosen, **other})

    return make


@pytest.fixture(scope="session")
def finished(
    talk: Path, settings: Callable[..., Context], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The report of a finished run, never changed by a test."""
    return distill(talk, settings(tmp_path_factory.mktemp("finished")))
