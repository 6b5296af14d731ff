"""Shots begin where the picture changes, and cover the video without holes."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from evals.clips import Clip, steady, write_video
from tools.shots import Shot, detect_shots
from tools.video import open_video

SIZE = (320, 180)


def slide(
    background: tuple[int, int, int], text: str = "", ink: tuple[int, int, int] = (255, 255, 255)
) -> np.ndarray:
    image = Image.new("RGB", SIZE, background)
    ImageDraw.Draw(image).text((24, 60), text, fill=ink, font=ImageFont.load_default(28))
    return np.asarray(image)


def texture(seed: int) -> np.ndarray:
    """A picture with soft patches of all colours."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 10, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC))


def film(path: Path, scenes: Sequence[tuple[float, np.ndarray]], start: float = 0.0) -> Path:
    """Still pictures, each for some seconds, at 25 frames a second."""
    images = [image for seconds, image in scenes for _ in range(round(seconds * 25))]
    return write_video(path, images, steady(len(images), start=start), key_every=50)


def found(path: Path, **how: float) -> list[Shot]:
    with open_video(path) as reader:
        shots = detect_shots(reader, **how)
        assert [shot.index for shot in shots] == list(range(len(shots)))
        assert shots[0].start == reader.info.start
        assert all(one.end == other.start for one, other in pairwise(shots))
        assert all(shot.end > shot.start for shot in shots)
    return shots


def cuts(shots: list[Shot]) -> list[float]:
    return [shot.start for shot in shots[1:]]


def test_cuts_between_colours(tmp_path: Path) -> None:
    scenes = [
        (2.0, slide((200, 30, 30), "One")),
        (3.0, slide((30, 60, 200), "Two")),
        (2.0, slide((240, 240, 240), "Three", (0, 0, 0))),
    ]
    shots = found(film(tmp_path / "a.mp4", scenes))
    assert cuts(shots) == pytest.approx([2.0, 5.0], abs=0.11)
    assert shots[-1].end == pytest.approx(7.0, abs=0.01)


def test_cuts_between_pictures(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [(1.6, texture(1)), (2.2, texture(2)), (1.4, texture(3))])
    assert cuts(found(path)) == pytest.approx([1.6, 3.8], abs=0.11)


def test_keeps_the_clock_of_the_video(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [(2.0, texture(1)), (2.0, texture(2))], start=1.5)
    shots = found(path)
    assert cuts(shots) == pytest.approx([3.5], abs=0.11)
    assert shots[-1].end == pytest.approx(5.5, abs=0.01)


@pytest.mark.parametrize("paper", [(255, 255, 255), (20, 30, 60)])
def test_cuts_where_only_the_text_of_a_slide_changes(
    tmp_path: Path, paper: tuple[int, int, int]
) -> None:
    ink = (0, 0, 0) if paper[0] > 100 else (255, 255, 255)
    scenes = [
        (3.0, slide(paper, "The river\nrises in May", ink)),
        (3.0, slide(paper, "Twelve towns\nare flooded", ink)),
    ]
    assert cuts(found(film(tmp_path / "a.mp4", scenes))) == pytest.approx([3.0], abs=0.11)


def test_finds_a_dissolve(tmp_path: Path) -> None:
    one, two = texture(1).astype(float), 255 - texture(1).astype(float)
    mix = [(one + (two - one) * part).astype(np.uint8) for part in np.linspace(0, 1, 20)]
    images = [texture(1)] * 75 + mix + [mix[-1]] * 75
    path = write_video(tmp_path / "a.mp4", images, steady(len(images)))
    assert cuts(found(path)) == pytest.approx([3.4], abs=0.7)


def test_does_not_cut_where_something_moves(tmp_path: Path) -> None:
    images = []
    for number in range(100):
        image = slide((30, 40, 90), "Moving on").copy()
        image[100:150, number * 2 : number * 2 + 50] = (250, 200, 0)
        images.append(image)
    assert len(found(write_video(tmp_path / "a.mp4", images, steady(100)))) == 1


def test_does_not_cut_where_the_camera_turns(tmp_path: Path) -> None:
    wide = np.hstack([texture(1), texture(1)[:, ::-1]])
    images = [wide[:, number * 2 : number * 2 + 320] for number in range(100)]
    images = [np.ascontiguousarray(image) for image in images]
    assert len(found(write_video(tmp_path / "a.mp4", images, steady(100)))) == 1


def test_splits_long_shots_evenly(tmp_path: Path) -> None:
    shots = found(film(tmp_path / "a.mp4", [(5.0, texture(1)), (1.0, texture(2))]), max_seconds=2)
    lengths = [shot.end - shot.start for shot in shots]
    assert lengths == pytest.approx([5 / 3] * 3 + [1.0], abs=0.05)


def test_joins_shots_too_short_to_see(tmp_path: Path) -> None:
    scenes = [(2.0, texture(1)), (0.2, texture(2)), (2.0, texture(3)), (0.2, texture(4))]
    assert cuts(found(film(tmp_path / "a.mp4", scenes))) == pytest.approx([2.0], abs=0.11)


def test_one_frame_is_one_shot(clip: Callable[[str], Clip]) -> None:
    assert [(shot.start, shot.end) for shot in found(clip("one frame").path)] == [(0.0, 0.04)]


def test_reaches_the_end_at_a_variable_rate(clip: Callable[[str], Clip]) -> None:
    assert found(clip("variable rate").path)[-1].end == pytest.approx(6.04)


def test_tells_progress(tmp_path: Path) -> None:
    told: list[float] = []
    with open_video(film(tmp_path / "a.mp4", [(1.0, texture(1))])) as reader:
        detect_shots(reader, on_progress=told.append)
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1


def test_long_videos_by_their_key_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.shots.LONG", 1.0)
    path = film(tmp_path / "a.mp4", [(2.0, texture(1)), (4.0, texture(2)), (2.0, texture(3))])
    shots = found(path)
    assert cuts(shots) == pytest.approx([2.0, 6.0], abs=0.01)
    assert shots[-1].end == pytest.approx(8.0, abs=0.01)


def test_stops_where_the_video_cannot_be_read(shared_videos: Path) -> None:
    (shot,) = found(shared_videos / "corrupted.mp4")
    assert shot.end == pytest.approx(2.8)


def test_footage(shared_videos: Path) -> None:
    # A dissolve around 5.5 s and a cut at 8.0 s; in the second film the camera never stops.
    assert cuts(found(shared_videos / "nasa.mp4")) == pytest.approx([5.5, 8.0], abs=0.3)
    persons = found(shared_videos / "persons.mp4")
    assert [shot.end - shot.start for shot in persons] == pytest.approx([13.94] * 10)
