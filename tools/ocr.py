"""On-screen text: read from a frame, then merged over the frames of a shot."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

import numpy as np

MIN_SCORE = 0.6
# A reading that no other frame confirms has to be this sure of itself.
LONE_SCORE = 0.9
SAME_TEXT = 0.8
_THREADS = 2
# Longest side given to text detection: as exact as full size down to text of 2 % of the height, at
# a third of its time. Smaller frames are not enlarged; recognition still sees every pixel.
_DETECTION_SIDE = 960
# Below this height in pixels rapidocr guesses letters with high scores.
_MIN_PIXELS = 7

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TextLine:
    """One line of text in a frame; `box` is (x0, y0, x1, y1) as shares of the frame."""

    text: str
    score: float
    box: Box


@dataclass(frozen=True)
class SeenText:
    """One text of a shot: first and last time seen in seconds, height as a share of the frame."""

    text: str
    start: float
    end: float
    score: float
    height: float


class TextReader:
    """Reads on-screen text with rapidocr, whose models come inside its package."""

    def read(self, image: np.ndarray) -> list[TextLine]:
        """Return the lines of text in an HxWx3 RGB image, top to bottom, left to right."""
        height, width = image.shape[:2]
        found = self._engine(np.ascontiguousarray(image[:, :, ::-1]))
        if found.boxes is None:
            return []
        words = []
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True):
            (x0, y0), (x1, y1) = np.min(corners, axis=0), np.max(corners, axis=0)
            if score >= MIN_SCORE and y1 - y0 >= _MIN_PIXELS:
                box = (x0 / width, y0 / height, x1 / width, y1 / height)
                words.append(TextLine(" ".join(text.split()), float(score), _box(*box)))
        lines: list[TextLine] = []
        for line in merge_words(words, aspect=width / height):
            if is_text(line.text) and all(fold(line.text) != fold(other.text) for other in lines):
                lines.append(line)
        return lines

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        runtime = "EngineConfig.onnxruntime"
        return RapidOCR(
            params={
                "Global.log_level": "critical",
                # The classifier only finds text that stands on its head.
                "Global.use_cls": False,
                "Det.limit_type": "max",
                "Det.limit_side_len": _DETECTION_SIDE,
                f"{runtime}.intra_op_num_threads": _THREADS,
                f"{runtime}.inter_op_num_threads": 1,
            }
        )


def merge_words(words: Sequence[TextLine], *, aspect: float) -> list[TextLine]:
    """Join words that stand side by side on one line; `aspect` is the frame's width / height."""
    rows: list[list[TextLine]] = []
    for word in sorted(words, key=lambda w: w.box[1] + w.box[3]):
        for row in rows:
            if _on_one_row(row[-1].box, word.box):
                row.append(word)
                break
        else:
            rows.append([word])
    lines: list[TextLine] = []
    for row in rows:
        row.sort(key=lambda w: w.box[0])
        line = row[0]
        for word in row[1:]:
            gap = (word.box[0] - line.box[2]) * aspect
            if gap < 1.2 * min(_height(line.box), _height(word.box)):
                line = _join(line, word)
            else:
                lines.append(line)
                line = word
        lines.append(line)
    return lines


def merge_lines(per_frame: Sequence[tuple[float, list[TextLine]]]) -> list[SeenText]:
    """Count each text of a shot once, by first appearance, in its most trusted reading.

    `per_frame` holds (time, lines) of the shot's frames, in order of time. Readings of one text
    may differ by OCR errors, or because it is typed out on the screen.
    """
    groups: list[_Readings] = []
    for time, lines in per_frame:
        for line in lines:
            # An exact match wins over a near one that happens to come earlier.
            group = max(groups, key=lambda g: g.likeness(time, line), default=None)
            if group is None or group.likeness(time, line) < SAME_TEXT:
                group = _Readings()
                groups.append(group)
            group.seen.append((time, line))
    return [text for group in groups if (text := group.best()) is not None]


class _Readings:
    """What the frames of a shot showed of one text."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, TextLine]] = []

    def likeness(self, time: float, line: TextLine) -> float:
        """Return 0..1; two unlike lines of one frame are never the same text."""
        here = [other for when, other in self.seen if when == time]
        if any(fold(other.text) != fold(line.text) for other in here):
            return 0.0
        return max(_alike(other, line) for _, other in self.seen)

    def best(self) -> SeenText | None:
        readings: dict[str, list[TextLine]] = defaultdict(list)
        for _, line in self.seen:
            readings[line.text].append(line)
        whole = {
            text: lines
            for text, lines in readings.items()
            if not any(
                _starts(other, text) and max(x.score for x in more) >= SAME_TEXT
                for other, more in readings.items()
            )
        }
        # Scores near 1 say little of which reading is right: how many frames agree says more.
        text = max(whole, key=lambda text: sum(line.score for line in whole[text]))
        best = max(whole[text], key=lambda line: line.score)
        if len(whole[text]) == 1 and best.score < LONE_SCORE:
            return None
        times = [time for time, _ in self.seen]
        return SeenText(text, min(times), max(times), best.score, _height(best.box))


def is_text(text: str) -> bool:
    """Return whether `text` is more than a stray mark: two signs at least, not one repeated."""
    signs = fold(text)
    return len(signs) > 1 and (len(set(signs)) > 1 or signs.isdecimal())


def fold(text: str) -> str:
    """Return the letters and digits of `text`, without case."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _alike(one: TextLine, other: TextLine) -> float:
    a, b = fold(one.text), fold(other.text)
    if a == b:
        return 1.0
    aligned = abs(one.box[0] - other.box[0]) < 0.05 and _on_one_row(one.box, other.box)
    if aligned and (_starts(a, b) or _starts(b, a)):
        return SAME_TEXT
    # "Slide 1" and "Slide 2" are alike to a letter, but they are not the same text.
    if [c for c in a if c.isdecimal()] != [c for c in b if c.isdecimal()]:
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _starts(whole: str, part: str) -> bool:
    return len(fold(whole)) > len(fold(part)) and fold(whole).startswith(fold(part))


def _on_one_row(a: Box, b: Box) -> bool:
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    low, high = sorted((_height(a), _height(b)))
    return overlap >= 0.6 * low and low >= 0.5 * high


def _join(left: TextLine, right: TextLine) -> TextLine:
    a, b = left.box, right.box
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return TextLine(f"{left.text} {right.text}", min(left.score, right.score), box)


def _height(box: Box) -> float:
    return box[3] - box[1]


def _box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return (
        round(max(0.0, float(x0)), 4),
        round(max(0.0, float(y0)), 4),
        round(min(1.0, float(x1)), 4),
        round(min(1.0, float(y1)), 4),
    )
