"""Subtitles: files beside a video, and text tracks inside it."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition
from av.subtitles.subtitle import AssSubtitle

from tools.caption_text import tidy
from tools.errors import blame_the_file
from tools.speech_line import SpeechLine

_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][a-z0-9]+)?", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_PLAIN_CODECS = {"subrip", "webvtt", "text"}


def read_sidecars(video: Path) -> list[SpeechLine]:
    """Return the cues of the best .srt or .vtt file beside `video`, or nothing.

    Their times count from the start of the file, which need not be zero on the video's clock.
    """
    with av.open(str(video), metadata_errors="replace") as container:
        start, end = _bounds(container)
    for path in find_sidecars(video):
        text = decode_text(path.read_bytes())
        kind = "webvtt" if text.startswith("WEBVTT") else "srt"
        try:
            with av.open(io.BytesIO(text.encode()), format=kind) as container:
                cues = list(_cues(container, container.streams.subtitles[0]))
        except av.error.FFmpegError as error:
            blame_the_file(error)
            continue
        shifted = [(first + start, last + start, words) for first, last, words in cues]
        if lines := _lines(shifted, f"sidecar:{path.name}", end):
            return lines
    return []


def find_sidecars(video: Path) -> list[Path]:
    """Return `stem.srt`, `stem.vtt` and `stem.<language>.srt|vtt`, English before others."""
    found = []
    for path in video.parent.iterdir():
        if path.suffix.lower() in (".srt", ".vtt") and path.is_file():
            language = path.stem.removeprefix(video.stem).removeprefix(".")
            if path.stem == video.stem:
                found.append((0, path.name, path))
            elif path.stem == f"{video.stem}.{language}" and _LANGUAGE.fullmatch(language):
                found.append((1 if is_english(language) else 2, path.name, path))
    return [path for _, _, path in sorted(found)]


def read_track(video: Path) -> list[SpeechLine]:
    """Return the cues of the first English text track, else of the first text track, or nothing."""
    with av.open(str(video), metadata_errors="replace") as container:
        _, end = _bounds(container)
        # Forced tracks hold only what is foreign to the audience.
        tracks = sorted(
            container.streams.subtitles,
            key=lambda track: (
                Disposition.forced in track.disposition,
                not is_english(track.language),
            ),
        )
        numbers = [track.index for track in tracks]
    for number in numbers:
        with av.open(str(video), metadata_errors="replace") as container:
            cues = list(_cues(container, container.streams[number]))
        if lines := _lines(cues, f"subtitle:{number}", end):
            return lines
    return []


def is_english(language: str | None) -> bool:
    """Return whether a language tag ("en", "eng", "en-GB") stands for English."""
    return re.split(r"[-_]", (language or "").lower())[0] in ("en", "eng")


def decode_text(raw: bytes) -> str:
    """Return the text of a subtitle file in UTF-8, UTF-16 or, failing these, Windows-1252."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    elif 0 in raw[:200]:
        text = raw.decode("utf-16-be" if raw[0] == 0 else "utf-16-le", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cues(container: Any, track: Any) -> Iterator[tuple[float, float, str]]:
    for packet in _packets(container, track):
        if packet.pts is None:
            continue
        if track.codec_context.name in _PLAIN_CODECS:
            # FFmpeg's decoder would drop the <v Name> of WebVTT.
            text = decode_text(bytes(packet))
        else:
            try:
                parts = [part for part in packet.decode() if isinstance(part, AssSubtitle)]
            except av.error.FFmpegError as error:
                blame_the_file(error)
                continue
            text = "\n".join(part.dialogue.decode("utf-8", errors="replace") for part in parts)
        start = float(packet.pts * packet.time_base)
        yield start, start + float((packet.duration or 0) * packet.time_base), text


def _packets(container: Any, track: Any) -> Iterator[Any]:
    try:
        yield from container.demux(track)
    except av.error.FFmpegError as error:
        blame_the_file(error)
        return  # A file cut short: what was read so far is good.


def _lines(cues: list[tuple[float, float, str]], source: str, until: float) -> list[SpeechLine]:
    """Return non-empty cues in order, cut at `until`, without what a rolling cue repeats."""
    lines: list[SpeechLine] = []
    shown: list[str] = []
    shown_until = 0.0
    for start, end, text in sorted(cues, key=lambda cue: cue[:2]):
        # A cue without a length (a broken file) stays for a second.
        end = min(end if end > start else start + 1.0, until)
        text = _BRACKETS.sub(lambda found: found[0].replace("\n", " "), text)
        rows = [row for row in text.split("\n") if tidy(row)]
        if start >= until or not rows:
            continue
        fresh = rows
        if start <= shown_until + 0.1:
            repeated = max(
                (n for n in range(1, len(rows) + 1) if _words(rows[:n]) == _words(shown[-n:])),
                default=0,
            )
            fresh = rows[repeated:]
        shown, shown_until = rows, end
        if fresh:
            said = "\n".join(fresh)
            lines.append(SpeechLine(round(start, 3), round(end, 3), said, source, 1.0))
        elif lines:
            lines[-1] = replace(lines[-1], end=max(lines[-1].end, round(end, 3)))
    return lines


def _words(rows: list[str]) -> list[str]:
    return [said.text for row in rows for said in tidy(row)]


def _bounds(container: Any) -> tuple[float, float]:
    """Return the times at which a file starts and its pictures end, in seconds."""
    start = max(0.0, (container.start_time or 0) / av.time_base)
    for stream in container.streams.video:
        if stream.duration:
            return start, float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if container.duration:
        return start, start + container.duration / av.time_base
    return start, float("inf")
