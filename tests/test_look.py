"""Colours, brightness, movement and faces are named as people would name them."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tools.colour import COLOURS
from tools.faces import can_count_faces, count_faces
from tools.look import look_at, look_times
from tools.shots import detect_shots
from tools.video import Frame, open_video

SHADES = {
    "black": ["#000000", "#101014"],
    "white": ["#ffffff", "#f5f5f5"],
    "grey": ["#808080", "#505050", "#bbbbbb"],
    "red": ["#ff0000", "#c0392b", "#8b0000"],
    "orange": ["#ffa500", "#e67e22", "#ff7518"],
    "yellow": ["#ffff00", "#f1c40f", "#fff59d"],
    "green": ["#008000", "#27ae60", "#145a32", "#7ccd7c"],
    "cyan": ["#00ffff", "#1abc9c", "#008b8b"],
    "blue": ["#0000ff", "#2980b9", "#1f3a93", "#101c4c", "#87ceeb"],
    "purple": ["#800080", "#8e44ad", "#4b0082", "#b19cd9"],
    "pink": ["#ffc0cb", "#ff69b4", "#e91e63"],
    "brown": ["#8b4513", "#5d4037", "#a0764a"],
}
Painter = Callable[[float], np.ndarray]


def slide(
    colour: str, text: str = "Wind power in 2031\n\nCosts fell by twelve percent"
) -> np.ndarray:
    image = Image.new("RGB", (640, 360), colour)
    ink = "black" if np.mean(Image.new("RGB", (1, 1), colour).getpixel((0, 0))) > 128 else "white"
    ImageDraw.Draw(image).text((60, 60), text, fill=ink, font=ImageFont.load_default(40))
    return np.asarray(image)


def shown(paint: Painter, seconds: float = 6.0) -> list[Frame]:
    return [Frame(time, paint(time)) for time in look_times(0.0, seconds)]


def moving(right: float, down: float, size: int = 70) -> Painter:
    """A yellow square on a slide, in widths a second; it comes back on the other side."""

    def paint(time: float) -> np.ndarray:
        image = slide("#1e285a").copy()
        x, y = (
            round(edge / 2 + speed * 640 * (time - 3)) % (edge - size)
            for edge, speed in ((640, right), (360, down))
        )
        image[y : y + size, x : x + size] = (240, 200, 30)
        return image

    return paint


def landscape() -> np.ndarray:
    """A large picture with edges everywhere."""
    random = np.random.default_rng(5)
    image = cv2.resize(random.integers(0, 255, (24, 40, 3), np.uint8), (1280, 720))
    for _ in range(120):
        x, y = (int(v) for v in random.integers(0, (1280, 720)))
        colour = tuple(int(v) for v in random.integers(0, 255, 3))
        cv2.circle(image, (x, y), int(random.integers(8, 40)), colour, -1)
    return image


class TestColour:
    @pytest.mark.parametrize("name", COLOURS)
    def test_of_a_slide_is_its_background(self, name: str) -> None:
        for shade in SHADES[name]:
            assert look_at([Frame(0.0, slide(shade))]).colour == name, shade

    def test_is_what_covers_most(self) -> None:
        image = slide("#0000ff", "").copy()
        image[:, :200] = (255, 128, 0)
        look = look_at([Frame(0.0, image)])
        assert (look.colour, look.second_colour) == ("blue", "orange")
        assert look.scores["colour"] == pytest.approx(1 - 200 / 640, abs=0.02)

    def test_has_no_second_where_one_covers_all(self) -> None:
        assert look_at([Frame(0.0, slide("#c01010"))]).second_colour is None

    def test_is_taken_over_all_frames(self) -> None:
        frames = [Frame(float(i), slide("#ffffff" if i % 3 else "#000000")) for i in range(9)]
        look = look_at(frames)
        assert (look.colour, look.second_colour) == ("white", "black")


@pytest.mark.parametrize(
    ("colour", "brightness"),
    [
        ("#000000", "dark"),
        ("#14245a", "dark"),
        ("#808080", "medium"),
        ("#b03030", "medium"),
        ("#f0f0f0", "bright"),
        ("#ffff60", "bright"),
    ],
)
def test_brightness(colour: str, brightness: str) -> None:
    assert look_at([Frame(0.0, slide(colour, ""))]).brightness == brightness


WAYS = {"right": (1, 0), "left": (-1, 0), "down": (0, 1), "up": (0, -1)}


class TestMotion:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("speed", [0.05, 0.1, 0.25])
    def test_of_a_shape(self, way: str, speed: float) -> None:
        right, down = WAYS[way]
        look = look_at(shown(moving(right * speed, down * speed)))
        assert look.motion == way
        assert look.scores["moving"] < 0.5

    @pytest.mark.parametrize("way", WAYS)
    def test_of_the_whole_picture(self, way: str) -> None:
        right, down = WAYS[way]
        large = landscape()

        def paint(time: float) -> np.ndarray:
            x, y = (round(v) for v in (320 - right * 60 * (time - 3), 180 - down * 40 * (time - 3)))
            return large[y : y + 360, x : x + 640]

        look = look_at(shown(paint))
        assert look.motion == way
        assert look.scores["moving"] > 0.8

    @pytest.mark.parametrize(("way", "rate"), [("zoom in", 0.08), ("zoom out", -0.08)])
    def test_of_a_zoom(self, way: str, rate: float) -> None:
        large = landscape()

        def paint(time: float) -> np.ndarray:
            half = 320 * np.exp(-rate * (time - 3))
            wide, high = round(half), round(half * 9 / 16)
            cut = large[360 - high : 360 + high, 640 - wide : 640 + wide]
            return cv2.resize(cut, (640, 360), interpolation=cv2.INTER_AREA)

        assert look_at(shown(paint)).motion == way

    def test_of_nothing(self) -> None:
        random = np.random.default_rng(1)

        def paint(time: float) -> np.ndarray:
            noise = random.integers(-6, 7, (360, 640, 3))
            return np.clip(slide("#406080") + noise, 0, 255).astype(np.uint8)

        assert look_at(shown(paint)).motion == "none"

    def test_of_changing_light(self) -> None:
        still = landscape()[:360, :640]
        look = look_at(shown(lambda time: (still * (0.5 + 0.08 * time)).astype(np.uint8)))
        assert look.motion == "none"

    def test_to_and_fro(self) -> None:
        there, back = moving(0.1, 0.0), moving(-0.1, 0.0)
        look = look_at(shown(lambda time: there(time) if int(time) % 2 else back(time)))
        assert look.motion == "mixed"

    def test_at_a_low_frame_rate(self) -> None:
        paint = moving(0.05, 0.0)
        frames = [Frame(float(int(time)), paint(int(time))) for time in look_times(0.0, 6.0)]
        assert look_at(frames).motion == "right"

    def test_of_one_frame(self) -> None:
        assert look_at([Frame(0.0, slide("#123456"))]).motion == "none"


class TestFaces:
    @pytest.fixture
    def portrait(self) -> np.ndarray:
        """A photograph of Grace Hopper, which comes with matplotlib."""
        package = importlib.util.find_spec("matplotlib")
        if package is None or package.origin is None:
            pytest.skip("needs the portrait that comes with matplotlib")
        path = Path(package.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
        return np.asarray(Image.open(path).convert("RGB"))

    @pytest.fixture
    def detector(self) -> None:
        if not can_count_faces():
            pytest.skip("this OpenCV brings no face detector")

    @pytest.mark.usefixtures("detector")
    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_are_counted(self, portrait: np.ndarray, count: int) -> None:
        image = np.full((360, 700, 3), (30, 60, 120), np.uint8)
        for number in range(count):
            image[60:297, 20 + 225 * number : 220 + 225 * number] = cv2.resize(portrait, (200, 237))
        assert look_at([Frame(0.0, image)]).faces == count

    @pytest.mark.usefixtures("detector")
    def test_are_not_seen_where_none_are(self, shared_videos: Path) -> None:
        for name in ["persons.mp4", "nasa.mp4", "echo.webm"]:
            with open_video(shared_videos / name) as reader:
                assert count_faces([frame.image for frame in reader.stream(5.0)]) == 0

    @pytest.mark.skipif(can_count_faces(), reason="this OpenCV brings a face detector")
    def test_are_unknown_without_a_detector(self, portrait: np.ndarray) -> None:
        assert look_at([Frame(0.0, portrait)]).faces is None


class TestTimes:
    @pytest.mark.parametrize(("start", "end"), [(0.0, 15.0), (8.3, 8.7), (2.0, 2.04), (1.0, 3.0)])
    def test_lie_in_the_shot(self, start: float, end: float) -> None:
        times = look_times(start, end)
        assert times == sorted(times)
        assert start <= times[0]
        assert times[-1] < end

    def test_come_in_pairs_that_are_close(self) -> None:
        times = look_times(0.0, 15.0)
        assert np.diff(times)[::2] == pytest.approx([0.2] * (len(times) // 2))


def test_needs_a_frame() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        look_at([])


def test_footage(shared_videos: Path) -> None:
    with open_video(shared_videos / "nasa.mp4") as reader:
        looks = [
            look_at(list(reader.frames(look_times(shot.start, shot.end))))
            for shot in detect_shots(reader)
        ]
    assert [look.motion for look in looks] == ["none", "none", "zoom out"]
    assert [look.brightness for look in looks] == ["dark", "medium", "dark"]
    assert {look.colour for look in looks} == {"black"}
    with open_video(shared_videos / "persons.mp4") as reader:
        # A woman comes in from below; a man stands still; a man leaves to the right.
        spans = [(7.0, 8.2), (30.0, 40.0), (133.5, 136.0)]
        looks = [look_at(list(reader.frames(look_times(*span)))) for span in spans]
    assert [look.motion for look in looks] == ["up", "none", "right"]
