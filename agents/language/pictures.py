"""What an agent sees of the video: frames with their times, within a token budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from PIL import Image, ImageDraw

from tools.picture_block import picture_blocks, smaller
from tools.video_reader import Frame

# What one token of a picture covers in the models at hand: 28 to 32 pixels a side.
PATCH = 28
TOKENS = 4096
LARGEST_SIDE, SMALLEST_SIDE = 768, 112
TILE = 192


class Pictures(Protocol):
    """Content blocks, with sides halved as often as ``shrunk`` says."""

    def blocks(self, shrunk: int) -> list[dict[str, Any]]:
        """Return text and image blocks."""
        ...


@dataclass(frozen=True)
class Frames:
    """Frames in the order of the video, and how many tokens all of them together may take."""

    frames: Sequence[Frame]
    tokens: int = TOKENS

    def blocks(self, shrunk: int) -> list[dict[str, Any]]:
        """Return each picture after its time."""
        side = max(SMALLEST_SIDE, self.side() >> shrunk)
        blocks: list[dict[str, Any]] = []
        for frame in self.frames:
            picture = Image.fromarray(frame.image)
            picture.thumbnail((side, side))
            blocks += picture_blocks(f"at {frame.time:.1f} s:", picture)
        return blocks

    def side(self) -> int:
        """Return the longer side in pixels at which all frames fit the budget together."""
        if not self.frames:
            return LARGEST_SIDE
        height, width = self.frames[0].image.shape[:2]
        shape = min(height, width) / max(height, width)
        side = PATCH * math.sqrt(self.tokens / len(self.frames) / shape)
        return max(SMALLEST_SIDE, min(LARGEST_SIDE, int(side)))


@dataclass(frozen=True)
class ContactSheet:
    """Small frames in rows, each with its time in its corner: a whole video in one picture."""

    frames: Sequence[Frame]

    def blocks(self, shrunk: int) -> list[dict[str, Any]]:
        """Return the sheet."""
        if not self.frames:
            return []
        sheet = self.sheet()
        sheet.thumbnail((sheet.width >> shrunk, sheet.height >> shrunk))
        return picture_blocks("small frames, each with its second in its corner:", sheet)

    def sheet(self) -> Image.Image:
        """Return the picture."""
        columns = math.ceil(math.sqrt(len(self.frames)))
        small = [_stamped(frame) for frame in self.frames]
        width, height = max(p.width for p in small), max(p.height for p in small)
        sheet = Image.new("RGB", (columns * width, math.ceil(len(small) / columns) * height))
        for place, picture in enumerate(small):
            sheet.paste(picture, (place % columns * width, place // columns * height))
        return sheet


@dataclass(frozen=True)
class KeysAndSheet:
    """Keyframes at full precision, and the frames between them small on one sheet."""

    keys: Frames
    others: ContactSheet

    def blocks(self, shrunk: int) -> list[dict[str, Any]]:
        """Return both."""
        return [*self.keys.blocks(shrunk), *self.others.blocks(shrunk)]


@dataclass(frozen=True)
class KeysAndMerged:
    """Keyframes, and between them frames of which a backbone reads one token each.

    `agents.language.frame_merging` merges a picture whose block has a ``topic``.
    """

    keys: Frames
    others: Sequence[Frame]
    topic: str

    def blocks(self, shrunk: int) -> list[dict[str, Any]]:
        """Return all of them in the order of the video."""
        large = zip(self.keys.frames, _pairs(self.keys.blocks(shrunk)), strict=True)
        found = [(frame.time, pair) for frame, pair in large]
        for frame in self.others:
            label, picture = picture_blocks(f"at {frame.time:.1f} s:", Image.fromarray(frame.image))
            found.append((frame.time, [label, {**picture, "topic": self.topic}]))
        return [block for _, pair in sorted(found, key=lambda item: item[0]) for block in pair]


@dataclass(frozen=True)
class Together:
    """Pictures, and what was looked up beside them."""

    pictures: Pictures
    found: Sequence[dict[str, Any]]

    def blocks(self, shrunk: int) -> list[dict[str, Any]]:
        """Return both."""
        found = (smaller(block, shrunk) for block in self.found)
        return [*self.pictures.blocks(shrunk), *found]


def _pairs(blocks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return each label with its picture."""
    return [blocks[place : place + 2] for place in range(0, len(blocks), 2)]


def _stamped(frame: Frame) -> Image.Image:
    picture = Image.fromarray(frame.image)
    picture.thumbnail((TILE, TILE))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 8 * len(f"{frame.time:.1f}"), 12), fill="black")
    draw.text((2, 1), f"{frame.time:.1f}", fill="white")
    return picture
