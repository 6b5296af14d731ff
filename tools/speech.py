"""What is said in a video: from subtitles where there are any, else by listening."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import av

from tools.audio import open_audio
from tools.caption_text import tidy
from tools.errors import InputError, blame_the_file
from tools.recognise import recognise_pocketsphinx
from tools.speech_line import SpeechLine
from tools.subtitles import read_sidecars, read_track
from tools.whisper import USUAL, WhisperModels, find_whisper, recognise_whisper

MAX_WORDS = 40
MAX_GAP = 2.0

_END = re.compile(r"[.!?…。！？]+[\"'\u201d\u2019»)\]]*$")  # noqa: RUF001
_ABBREVIATION = re.compile(
    r"(?:[A-Za-z]\.)+|(?:mr|mrs|ms|dr|prof|st|vs|no|fig|jr|sr|lt|col|gen|sen|rep|gov|capt|sgt|mt)\.",
    re.IGNORECASE,
)


def transcribe(
    path: Path,
    *,
    models: WhisperModels = USUAL,
    on_progress: Callable[[float], None] | None = None,
) -> list[SpeechLine]:
    """Return what is said, from the first source that has anything.

    The order is: a .srt or .vtt file beside the video, a subtitle track inside it, whisperx where
    its weights are on this machine (`models` names others), pocketsphinx. Nothing is downloaded.
    `on_progress` receives shares from 0 to 1, and may raise `EnoughHeard`: pocketsphinx then gives
    what it has heard, and whisperx, which hears all at once, passes it on.
    Raises InputError for a file that cannot be opened.
    """
    report = on_progress or (lambda share: None)
    try:
        lines = read_sidecars(path) or read_track(path)
        audio = open_audio(path)
    except (av.error.FFmpegError, OSError) as error:
        blame_the_file(error)
        raise InputError(
            f"Cannot read the sound of {path} ({error.strerror}); check that it is a video file."
        ) from error
    if not lines and audio is not None:
        if whisper := find_whisper(models.whisper):
            lines = recognise_whisper(audio, *whisper, report, models)
        else:
            lines = recognise_pocketsphinx(audio, report)
    report(1.0)
    return lines


@dataclass(frozen=True)
class _Word:
    """A word, its time interpolated in its cue where it is not known; `line` has its speaker.

    `opens`: it begins a sentence whatever came before.
    """

    text: str
    start: float
    end: float
    opens: bool
    line: SpeechLine


def sentences(lines: list[SpeechLine]) -> list[SpeechLine]:
    """Join cues into sentences, cleaned of tags, sounds and speaker names.

    A sentence ends at . ! ? or where the speaker changes, after a pause of more than two seconds,
    and at 40 words. Where it starts or ends inside a cue whose words are not timed, its time is
    interpolated by the length of the text. The utterances of pocketsphinx, which writes no
    punctuation, stay as they are.
    """
    words = _timed_words(sorted(lines, key=lambda line: line.start))
    joined: list[list[_Word]] = []
    for word in words:
        if not joined or _breaks(joined[-1], word):
            joined.append([])
        joined[-1].append(word)
    return [
        replace(
            part[0].line,
            start=round(part[0].start, 3),
            end=round(part[-1].end, 3),
            text=" ".join(word.text for word in part),
            words=(),
            score=round(sum(word.line.score for word in part) / len(part), 4),
        )
        for part in joined
    ]


def _timed_words(lines: list[SpeechLine]) -> list[_Word]:
    words = []
    ends = [
        min(line.end, following.start) if following.start > line.start else line.end
        for line, following in pairwise(lines)
    ] + [line.end for line in lines[-1:]]
    for line, end in zip(lines, ends, strict=True):
        turns = tidy(line.text)
        if line.words and [said.text for said in turns] == [line.text]:
            words += [
                _Word(word.text, word.start, word.end, False, replace(line, speaker=word.speaker))
                for word in line.words
            ]
            continue
        length = sum(len(said.text) + 1 for said in turns) - 1
        done = 0
        for said in turns:
            spoken = replace(line, speaker=said.speaker or line.speaker)
            for number, text in enumerate(said.text.split()):
                start, done = done, done + len(text)
                words.append(
                    _Word(
                        text=text,
                        start=line.start + (end - line.start) * start / length,
                        end=line.start + (end - line.start) * done / length,
                        opens=number == 0 and (said.turn or line.source == "pocketsphinx"),
                        line=spoken,
                    )
                )
                done += 1
    return words


def _breaks(sentence: list[_Word], word: _Word) -> bool:
    last = sentence[-1]
    return (
        word.opens
        or len(sentence) >= MAX_WORDS
        or word.start - last.end > MAX_GAP
        or word.line.source != last.line.source
        or (word.line.words and word.line.speaker != last.line.speaker)
        or _ends(last.text, word.text)
    )


def _ends(last: str, following: str) -> bool:
    """Return whether a sentence ends between two words."""
    end = _END.search(last)
    if end is None or _ABBREVIATION.fullmatch(last):
        return False
    # "Wait... what", "'Really?' he said": a small letter goes on, except after a plain full stop,
    # as some captions have no capitals at all.
    plain_stop = last.endswith(".") and not last.endswith("..")
    return plain_stop or not following.lstrip("\"'\u201c\u2018(")[:1].islower()
