"""One stretch of speech, whichever source it was taken from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimedWord:
    """A word in [start, end), in seconds of the video's own clock, and who says it."""

    text: str
    start: float
    end: float
    speaker: str | None = None


@dataclass(frozen=True)
class SpeechLine:
    """What is said in [start, end), in seconds of the video's own clock.

    `source` is "sidecar:<file name>", "subtitle:<stream index>", "whisperx:<model>" or
    "pocketsphinx"; `score` is 1 for what people wrote, the recogniser's confidence else. `words`
    are there where they were aligned.
    """

    start: float
    end: float
    text: str
    source: str
    score: float
    speaker: str | None = None
    words: tuple[TimedWord, ...] = ()
