"""The sample clip shows and says what its script holds, and is the same file every time."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from evals import sample_clip
from evals.questions import DEMO, SAMPLE
from evals.sample_clip import COLOURS, SECONDS, SLIDES, cues


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_clip.render(tmp_path_factory.mktemp("clip") / "new folder" / "sample.mp4")


def starts() -> list[int]:
    return [sum(slide.seconds for slide in SLIDES[:index]) for index in range(len(SLIDES))]


def slide_at(second: int) -> sample_clip.Slide:
    return next(s for start, s in zip(starts(), SLIDES, strict=True) if second < start + s.seconds)


def pictures(clip: Path, times: list[float]) -> list[np.ndarray]:
    wanted = {round(time * sample_clip.FPS) for time in times}
    with av.open(str(clip)) as container:
        frames = enumerate(container.decode(video=0))
        return [frame.to_ndarray(format="rgb24") for number, frame in frames if number in wanted]


def test_the_clip_is_one_minute_of_h264_with_subtitles(clip: Path) -> None:
    with av.open(str(clip)) as container:
        video, subtitles = container.streams
        assert (video.codec_context.name, subtitles.codec_context.name) == ("h264", "mov_text")
        assert (video.width, video.height) == (640, 360)
        assert video.frames == SECONDS * sample_clip.FPS == 900
        assert subtitles.metadata["language"] == "eng"


def test_the_same_bytes_come_out_every_time(clip: Path, tmp_path: Path) -> None:
    assert sample_clip.render(tmp_path / "again.mp4").read_bytes() == clip.read_bytes()


def test_every_slide_has_its_colour(clip: Path) -> None:
    images = pictures(clip, [start + 2 for start in starts()])
    for slide, image in zip(SLIDES, images, strict=True):
        ground = np.median(image.reshape(-1, 3), axis=0)
        assert np.abs(ground - COLOURS[slide.colour]).max() < 12, slide.title


@pytest.mark.parametrize("slide", [s for s in SLIDES if s.motion != "none"], ids=lambda s: s.motion)
def test_the_kite_goes_where_the_script_says(clip: Path, slide: sample_clip.Slide) -> None:
    start = starts()[SLIDES.index(slide)]
    first, middle, last = (
        image.astype(int) for image in pictures(clip, [start + 1, start + 4, start + 7])
    )

    def centre(picture: np.ndarray, other: np.ndarray) -> tuple[float, float]:
        rows, columns = np.nonzero(np.abs(picture - other).max(axis=2) > 40)
        return columns.mean(), rows.mean()

    # What differs from the middle picture is the kite at both places; the mean moves with it.
    (x0, y0), (x1, y1) = centre(first, middle), centre(last, middle)
    moved = {"right": x1 - x0, "left": x0 - x1, "down": y1 - y0, "up": y0 - y1}
    assert moved[slide.motion] > 50


def test_subtitles_are_the_spoken_sentences_with_their_times(clip: Path) -> None:
    with av.open(str(clip)) as container:
        packets = [p for p in container.demux(subtitles=0) if p.size > 2]
        told = [
            (float(p.pts * p.time_base), float((p.pts + p.duration) * p.time_base), bytes(p)[2:])
            for p in packets
        ]
    assert [(start, end, text.decode()) for start, end, text in told] == [
        (pytest.approx(cue.start), pytest.approx(cue.end), cue.text) for cue in cues()
    ]


def test_sentences_follow_each_other_and_stay_on_their_slide() -> None:
    spoken = cues()
    assert all(a.end < b.start for a, b in pairwise(spoken))
    for cue in spoken:
        assert cue.text in slide_at(int(cue.start)).speech
        assert slide_at(int(cue.start)) == slide_at(int(cue.end))


def test_titles_are_read_as_they_are_written(clip: Path) -> None:
    from tools.ocr import TextReader

    reader = TextReader()
    images = pictures(clip, [start + 3 for start in starts()])
    for slide, image in zip(SLIDES, images, strict=True):
        assert [line.text for line in reader.read(image)] == [slide.title, slide.line]


def test_the_questions_have_their_answers_in_the_clip() -> None:
    shown = " ".join(f"{slide.title}. {slide.line}." for slide in SLIDES)
    said = " ".join(cue.text for cue in cues())
    colours = " ".join(slide.colour for slide in SLIDES)
    for question in SAMPLE[:-1]:
        assert question.expected in f"{shown} {said} {colours}"
    assert len(DEMO) == 3
    assert slide_at(33).title == "The Lamp"
    assert slide_at(47).colour == "purple"


def test_the_command_prints_where_the_clip_lies(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    command = [sys.executable, "-m", "evals.sample_clip"]
    done = subprocess.run([*command, str(target)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{target}\n")
    assert target.stat().st_size > 0
    assert subprocess.run(command, capture_output=True).returncode != 0
