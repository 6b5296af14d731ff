import socket
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tools.ocr import SeenText, TextLine, TextReader, merge_lines, merge_words


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


def slide(
    *texts: tuple[str, float, float, float], size: tuple[int, int] = (640, 360)
) -> np.ndarray:
    """White text on blue; each text is (words, x, y, height), the last three as shares."""
    width, height = size
    picture = Image.new("RGB", size, (20, 30, 90))
    pen = ImageDraw.Draw(picture)
    for words, x, y, share in texts:
        font = ImageFont.load_default(size=share * min(size))
        pen.text((x * width, y * height), words, fill="white", font=font)
    return np.asarray(picture)


def line(text: str, score: float = 0.99, x: float = 0.1, y: float = 0.1) -> TextLine:
    return TextLine(text, score, (x, y, x + 0.03 * len(text), y + 0.1))


def texts(lines: list[TextLine]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize("size", [(480, 270), (640, 360), (1280, 720), (1920, 1080), (360, 640)])
def test_reads_a_slide_from_top_to_bottom(reader: TextReader, size: tuple[int, int]) -> None:
    image = slide(
        ("Revenue rose by 12 percent", 0.05, 0.6, 0.05),
        ("Annual Report", 0.05, 0.1, 0.07),
        size=size,
    )
    lines = reader.read(image)
    assert texts(lines) == ["Annual Report", "Revenue rose by 12 percent"]
    assert all(line.score > 0.9 for line in lines)
    x0, y0, x1, y1 = lines[0].box
    assert 0.02 < x0 < 0.08
    assert 0.08 < y0 < y1 < 0.22
    assert x1 < 1


def test_two_columns_are_two_lines_left_to_right(reader: TextReader) -> None:
    image = slide(("Right side", 0.65, 0.4, 0.08), ("Left side", 0.05, 0.41, 0.08))
    assert texts(reader.read(image)) == ["Left side", "Right side"]


def test_words_far_apart_on_one_line_are_joined() -> None:
    words = [
        TextLine("world", 0.8, (0.32, 0.11, 0.5, 0.2)),
        TextLine("Hello", 0.9, (0.1, 0.1, 0.3, 0.2)),
        TextLine("below", 0.9, (0.1, 0.3, 0.3, 0.4)),
        TextLine("elsewhere", 0.9, (0.8, 0.1, 0.95, 0.2)),
    ]
    lines = merge_words(words, aspect=16 / 9)
    assert texts(lines) == ["Hello world", "elsewhere", "below"]
    assert lines[0].score == 0.8
    assert lines[0].box == (0.1, 0.1, 0.5, 0.2)


def test_single_characters_and_repeated_lines_are_left_out(reader: TextReader) -> None:
    image = slide(
        ("X", 0.5, 0.1, 0.2),
        ("Welcome back", 0.1, 0.4, 0.1),
        ("Welcome back", 0.1, 0.6, 0.1),
        ("-----", 0.1, 0.8, 0.1),
    )
    assert texts(reader.read(image)) == ["Welcome back"]


def test_pictures_without_text_give_nothing(reader: TextReader) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 320, dtype=np.uint8)[None, :, None], (240, 320, 3))
    for image in (noise, ramp, np.zeros((240, 320, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)):
        assert reader.read(image) == []


def test_reads_without_network_and_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert texts(TextReader().read(slide(("Hello there", 0.1, 0.4, 0.15)))) == ["Hello there"]
    sys.stdout.flush()
    assert capfd.readouterr() == ("", "")


def test_a_text_seen_in_many_frames_counts_once() -> None:
    seen = merge_lines(
        [
            (1.0, [line("Annual Report", 0.97)]),
            (2.0, [line("AnnuaI Report", 0.91)]),
            (3.0, [line("Annual Report", 0.99)]),
        ]
    )
    assert seen == [SeenText("Annual Report", 1.0, 3.0, 0.99, pytest.approx(0.1))]


def test_the_reading_that_most_frames_share_wins() -> None:
    frames = [(0.0, [line("with the", 0.95)]), (1.0, [line("with the", 0.94)])]
    assert [s.text for s in merge_lines([*frames, (2.0, [line("wlth the", 0.99)])])] == ["with the"]


def test_typed_out_text_is_its_last_state() -> None:
    frames = [
        (0.0, [line("of ou", 0.94)]),
        (1.0, [line("of our han")]),
        (2.0, [line("of our hands")]),
    ]
    (seen,) = merge_lines(frames)
    assert (seen.text, seen.start, seen.end) == ("of our hands", 0.0, 2.0)


def test_texts_that_differ_in_a_number_stay_apart() -> None:
    frames = [(0.0, [line("Slide 1")]), (1.0, [line("Slide 2")])]
    assert [s.text for s in merge_lines(frames)] == ["Slide 1", "Slide 2"]


def test_like_texts_of_one_frame_stay_apart() -> None:
    both = [line("Anna Keller"), line("Anne Keller", y=0.5)]
    merged = merge_lines([(0.0, both), (1.0, both)])
    assert [s.text for s in merged] == ["Anna Keller", "Anne Keller"]
    assert [(s.start, s.end) for s in merged] == [(0.0, 1.0)] * 2


def test_an_unsure_reading_that_no_frame_confirms_is_dropped() -> None:
    assert merge_lines([(0.0, [line("WEHARFO", 0.8)]), (1.0, [])]) == []
    assert len(merge_lines([(0.0, [line("HANDS", 0.8)]), (1.0, [line("HANDS", 0.8)])])) == 1


def test_nothing_seen_is_nothing() -> None:
    assert merge_lines([]) == merge_lines([(0.0, [])]) == []
