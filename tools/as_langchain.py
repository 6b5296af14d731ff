"""The tools as LangChain tools, for agents that choose themselves when to look or listen again."""

import math
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from PIL import Image

from tools.evidence import Evidence, EvidenceStore, Kind
from tools.look import look_at, look_times
from tools.ocr import TextReader
from tools.picture_block import picture_blocks
from tools.shared_reader import SharedReader

MAX_FRAMES = 16
MAX_SIDE = 768


def video_tools(reader: SharedReader, store: EvidenceStore) -> list[BaseTool]:
    """Return the tools that look at one video and into its evidence.

    All times are seconds of the video's own clock. The tools may be called from several threads.
    """
    texts = TextReader()

    def frames_at(times: list[float]) -> list[dict[str, Any]]:
        """Look at the video: return the frames shown at some times, at most 16.

        Args:
            times: Times in seconds.
        """
        blocks: list[dict[str, Any]] = []
        for frame in reader.frames(times[:MAX_FRAMES]):
            blocks += picture_blocks(f"{frame.time:.2f} s", _fitted(Image.fromarray(frame.image)))
        return blocks

    def zoom_at(time: float, box: list[float]) -> list[dict[str, Any]]:
        """Look at a part of one frame, enlarged.

        Args:
            time: Time in seconds.
            box: Left, top, right and bottom of the part in shares of the frame, from 0 to 1.
        """
        (frame,) = reader.frames([time])
        picture = Image.fromarray(frame.image)
        left, top, right, bottom = (min(1.0, max(0.0, share)) for share in box)
        if left >= right or top >= bottom:
            raise ValueError("the box is empty: left must be less than right, top than bottom")
        part = picture.crop(
            (
                int(left * picture.width),
                int(top * picture.height),
                math.ceil(right * picture.width),
                math.ceil(bottom * picture.height),
            )
        )
        scale = MAX_SIDE / max(part.size)
        size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
        return picture_blocks(f"{frame.time:.2f} s, enlarged", part.resize(size))

    def read_text_at(time: float) -> list[dict[str, Any]]:
        """Read the on-screen text at a time: lines from top to bottom, with scores from 0 to 1.

        Args:
            time: Time in seconds.
        """
        return [
            {"text": line.text, "score": round(line.score, 2)}
            for frame in reader.frames([time])
            for line in texts.read(frame.image)
        ]

    def speech_between(start: float, end: float) -> list[dict[str, Any]]:
        """Return the sentences spoken in a span, with their times.

        Args:
            start: Start of the span in seconds.
            end: End of the span in seconds.
        """
        return [_row(item) for item in store.between(start, end, kinds=["speech"])]

    def look_between(start: float, end: float) -> dict[str, Any]:
        """Describe the look of a span: main colours, brightness, motion, number of faces.

        Args:
            start: Start of the span in seconds.
            end: End of the span in seconds.
        """
        look = look_at(reader.frames(look_times(start, end)))
        return {
            "colour": look.colour,
            "second_colour": look.second_colour,
            "brightness": look.brightness,
            "motion": look.motion,
            "faces": look.faces,
        }

    def search_evidence(
        query: str, k: int = 5, kinds: list[Kind] | None = None
    ) -> list[dict[str, Any]]:
        """Search by meaning in everything that was measured in the video, best first.

        Args:
            query: What to look for, in a few words or a sentence.
            k: How many results to return.
            kinds: Kinds of evidence to search in; all of them when left out.
        """
        return [
            {**_row(item), "score": round(score, 3)}
            for item, score in store.search(query, k=k, kinds=kinds)
        ]

    functions = (
        frames_at,
        zoom_at,
        read_text_at,
        speech_between,
        look_between,
        search_evidence,
    )
    return [StructuredTool.from_function(f, parse_docstring=True) for f in functions]


def _row(item: Evidence) -> dict[str, Any]:
    return item.model_dump(include={"id", "kind", "start", "end", "value", "source"})


def _fitted(picture: Image.Image) -> Image.Image:
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return picture
