"""Speech recognition with pocketsphinx, whose English model comes inside its package."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tools.audio import RATE, AudioTrack
from tools.heard import EnoughHeard, Progress
from tools.speech_line import SpeechLine
from tools.subtitles import is_english

# The longest stretch decoded at once, and what tells words from guesses at noise.
_LONGEST_UTTERANCE = 20.0
_LONGEST_WORD = 1.2
_MIN_WORDS = 3
_MIN_WORDS_A_SECOND = 0.8
_MIN_CONFIDENCE = 0.35


def recognise_pocketsphinx(audio: AudioTrack, on_progress: Progress) -> list[SpeechLine]:
    """Return what pocketsphinx makes of English speech, one line for each utterance.

    Its words are lower case without punctuation; utterances that look like music or noise taken
    for words are left out. Ended early by `EnoughHeard`, it returns what it heard until then.
    """
    if audio.language not in (None, "und") and not is_english(audio.language):
        return []
    from pocketsphinx import Decoder

    # A bound on the states kept alive halves the time that music takes; the default is 30000.
    decoder = Decoder(loglevel="FATAL", maxhmmpf=7000)
    lines = []
    with contextlib.suppress(EnoughHeard):
        for start, pcm in _utterances(audio, on_progress):
            if line := _recognised(decoder, start, pcm):
                lines.append(line)
    return lines


def _recognised(decoder: Any, start: float, pcm: bytes) -> SpeechLine | None:
    """Return what is said in the 16-bit samples of one utterance that begins at ``start``."""
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    words = [_Word(segment, decoder) for segment in decoder.seg() or []]
    words = [word for word in words if word.plausible]
    length = len(pcm) / 2 / RATE
    if len(words) < max(_MIN_WORDS, _MIN_WORDS_A_SECOND * length):
        return None
    score = sum(word.confidence for word in words) / len(words)
    if score < _MIN_CONFIDENCE:
        return None
    return SpeechLine(
        start=round(start + words[0].start, 3),
        end=round(start + words[-1].end, 3),
        text=" ".join(word.text for word in words),
        source="pocketsphinx",
        score=round(score, 4),
    )


class _Word:
    """One word of a hypothesis, with times in seconds of its utterance."""

    def __init__(self, segment: Any, decoder: Any) -> None:
        frames = decoder.config["frate"]
        self.start = segment.start_frame / frames
        self.end = (segment.end_frame + 1) / frames
        # "the(2)" is the second pronunciation of "the".
        self.text = segment.word.split("(")[0]
        self.confidence = min(1.0, float(segment.prob))
        spoken = not segment.word.startswith(("<", "[", "+"))
        self.plausible = spoken and self.end - self.start <= _LONGEST_WORD


def _utterances(audio: AudioTrack, on_progress: Progress) -> Iterator[tuple[float, bytes]]:
    """Yield (start, 16-bit samples) of the stretches in which somebody may speak."""
    from pocketsphinx import Endpointer

    endpointer = Endpointer(vad_mode=2, sample_rate=RATE)
    size = endpointer.frame_bytes
    waiting = b""
    speech = bytearray()
    origin = begin = 0.0
    for number, (time, samples) in enumerate(audio.blocks()):
        if number == 0:
            origin = time
        waiting += samples.tobytes()
        while len(waiting) > size:
            frame, waiting = waiting[:size], waiting[size:]
            if (part := endpointer.process(frame)) is None:
                continue
            if not speech:
                begin = origin + endpointer.speech_start
            speech += part
            long = len(speech) >= 2 * RATE * _LONGEST_UTTERANCE
            if long or not endpointer.in_speech:
                yield begin, bytes(speech)
                begin += len(speech) / 2 / RATE
                speech.clear()
        on_progress(min(1.0, (time - origin) / audio.seconds) if audio.seconds else 0.0)
    if waiting and (part := endpointer.end_stream(waiting)) is not None:
        speech += part
    if speech:
        yield begin, bytes(speech)
