"""The sample clip: a one-minute lecture on a lighthouse that does not exist.

    python -m evals.sample_clip out/sample.mp4

Eight slides with titles, colours and moving shapes, and what the speaker says as a subtitle track.
Every name, year and number in it is invented, so that a right answer can only come from the video.
The same version of PyAV renders the same bytes every time.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

import av
from av.subtitles.subtitle import SubtitleSet
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, FPS = 640, 360, 15
KITE = 120  # the height and width of the moving kite, in pixels
WHITE, BLACK = (250, 250, 250), (20, 20, 20)

Colour = tuple[int, int, int]
COLOURS: dict[str, Colour] = {
    "white": (245, 245, 245),
    "blue": (30, 70, 190),
    "orange": (245, 140, 20),
    "grey": (120, 120, 120),
    "yellow": (250, 220, 40),
    "green": (25, 130, 60),
    "purple": (115, 40, 150),
    "red": (195, 30, 35),
}
DARK_TEXT = {"white", "orange", "yellow"}
# The encoder compares each line's style with this one and writes only what differs: nothing.
SUBTITLE_HEADER = b"[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Sans,18\n"


@dataclass(frozen=True)
class Slide:
    """One slide: how long it stands, what it shows and what is said meanwhile."""

    seconds: float
    colour: str
    title: str
    line: str
    speech: tuple[str, ...]
    motion: Literal["none", "left", "right", "up", "down"] = "none"


@dataclass(frozen=True)
class Cue:
    """One spoken sentence, from ``start`` to ``end`` in seconds."""

    start: float
    end: float
    text: str


SLIDES = (
    Slide(
        6,
        "white",
        "The Veldra Lighthouse",
        "A short history",
        ("This is the story of the lighthouse on Veldra Island.",),
    ),
    Slide(
        8,
        "blue",
        "The First Tower",
        "Built in 1847",
        (
            "Ingrid Solbakken built the first tower in 1847.",
            "Its oak came from the forest of Harrowmere.",
        ),
        motion="right",
    ),
    Slide(
        8,
        "orange",
        "The Great Storm",
        "9 November 1891",
        ("A great storm broke the tower in 1891.", "The waves were 14 metres high."),
        motion="down",
    ),
    Slide(
        8,
        "grey",
        "The Second Tower",
        "38 metres of granite",
        ("The second tower is 38 metres high.", "Its granite came by ship from Lindmoor."),
        motion="up",
    ),
    Slide(
        8,
        "yellow",
        "The Lamp",
        "Range 27 kilometres",
        ("Pieter Aalders made the lamp in Bruges.", "Its light reaches 27 kilometres."),
    ),
    Slide(
        6,
        "green",
        "The Keepers",
        "Five families",
        ("Marta Quill kept the light for 31 years.",),
    ),
    Slide(
        8,
        "purple",
        "The Fog Bell",
        "Weight 640 kilograms",
        ("The fog bell rings every 20 seconds.", "It was a gift from the town of Osterlo."),
        motion="left",
    ),
    Slide(
        8,
        "red",
        "The Museum",
        "Open since 1996",
        ("Today the lighthouse is a museum.", "About 9000 people visit it every summer."),
    ),
)
SECONDS = sum(slide.seconds for slide in SLIDES)


def cues(slides: Sequence[Slide] = SLIDES) -> list[Cue]:
    """Return every spoken sentence with its times, in order."""
    found = []
    slide_start = 0.0
    for slide in slides:
        share = slide.seconds / max(1, len(slide.speech))
        for number, text in enumerate(slide.speech):
            start = slide_start + number * share
            found.append(Cue(round(start + 0.4, 3), round(start + share - 0.4, 3), text))
        slide_start += slide.seconds
    return found


def render(path: Path, slides: Sequence[Slide] = SLIDES) -> Path:
    """Write a clip of slides to ``path``: MP4 with H.264 and mov_text; its folder is made.

    The file is there whole or not at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    # One thread and no muxer tags: the bytes, and so the video's id, are the same every time.
    with av.open(str(part), "w", format="mp4", options={"fflags": "+bitexact"}) as output:
        video = output.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.thread_count = 1
        video.options = {"preset": "fast", "crf": "20"}
        subtitles = output.add_stream("mov_text")
        subtitles.metadata["language"] = "eng"
        subtitles.codec_context.time_base = Fraction(1, 1000)
        subtitles.codec_context.subtitle_header = SUBTITLE_HEADER
        for cue in cues(slides):
            start, duration = round(cue.start * 1000), round((cue.end - cue.start) * 1000)
            line = f"0,0,Default,,0,0,0,,{cue.text}".encode()
            packet = subtitles.codec_context.encode_subtitle(
                SubtitleSet.create(line, start=0, end=duration, pts=start)
            )
            packet.stream, packet.time_base = subtitles, Fraction(1, 1000)
            output.mux(packet)
        for number, image in enumerate(frames(slides)):
            frame = av.VideoFrame.from_image(image)
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return part.replace(path)


def frames(slides: Sequence[Slide]) -> Iterator[Image.Image]:
    """Yield every frame of the clip in order."""
    for slide in slides:
        still = draw_slide(slide)
        count = round(slide.seconds * FPS)
        for number in range(count):
            yield draw_shape(still, slide, number / count)


def draw_slide(slide: Slide) -> Image.Image:
    """Return the slide without its moving shape."""
    image = Image.new("RGB", (WIDTH, HEIGHT), COLOURS[slide.colour])
    draw = ImageDraw.Draw(image)
    ink = BLACK if slide.colour in DARK_TEXT else WHITE
    draw.text((40, 44), slide.title, font=_font(46), fill=ink)
    draw.rectangle((42, 108, 122, 112), fill=ink)
    draw.text((40, 130), slide.line, font=_font(28), fill=ink)
    return image


def draw_shape(still: Image.Image, slide: Slide, share: float) -> Image.Image:
    """Return the slide at ``share`` of its time, with a kite that crosses the picture."""
    if slide.motion == "none":
        return still
    along = share if slide.motion in ("right", "down") else 1 - share
    if slide.motion in ("left", "right"):
        x, y = along * (WIDTH - KITE), 220.0
    else:
        x, y = 490.0, along * (HEIGHT - KITE)
    top, right = (x + KITE / 2, y), (x + KITE, y + KITE / 3)
    bottom, left = (x + KITE / 2, y + KITE), (x, y + KITE / 3)
    image = still.copy()
    draw = ImageDraw.Draw(image)
    draw.polygon((top, right, bottom, left), fill=BLACK)
    draw.polygon((top, right, bottom), fill=WHITE)
    return image


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def main() -> None:
    """Render the clip to the path given on the command line and print it."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m evals.sample_clip OUT.mp4")
    print(render(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
