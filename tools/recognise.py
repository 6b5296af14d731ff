"""Speech recognition: whisperx where its weights are on this machine, else pocketsphinx."""

import contextlib
import logging
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tools.audio import RATE, AudioTrack
from tools.speech_line import SpeechLine
from tools.subtitles import is_english

# Tried in this order where no model is asked for.
WHISPER_NAMES = ("small", "base", "medium", "large-v3-turbo", "large-v3", "tiny")
_WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")
_ENGLISH_ALIGNER = "facebook/wav2vec2-base-960h"

# pocketsphinx: the longest stretch decoded at once, and what tells words from guesses at noise.
_LONGEST_UTTERANCE = 20.0
_LONGEST_WORD = 1.2
_MIN_WORDS = 3
_MIN_WORDS_A_SECOND = 0.8
_MIN_CONFIDENCE = 0.35

Progress = Callable[[float], None]


class EnoughHeard(Exception):
    """Raised by whoever is shown the progress to end recognition early."""


def find_whisper(name: str | None) -> tuple[str, Path] | None:
    """Return (name, folder) of a Whisper model in CTranslate2 form that is here, or None.

    `name` is a folder or a faster-whisper model name, looked up in the Hugging Face cache alone;
    without it the usual names are tried.
    """
    from faster_whisper import download_model

    if name is not None and Path(name).is_dir():
        folders = [(Path(name).name, Path(name))]
    else:
        folders = []
        for candidate in WHISPER_NAMES if name is None else (name,):
            # An unknown name is a ValueError, one not in the cache an OSError.
            with contextlib.suppress(ValueError, OSError):
                folders.append((candidate, Path(download_model(candidate, local_files_only=True))))
    for label, folder in folders:
        if all((folder / file).is_file() for file in _WHISPER_FILES):
            return label, folder
    return None


def recognise_whisper(
    audio: AudioTrack, name: str, folder: Path, on_progress: Progress
) -> list[SpeechLine]:
    """Return what whisperx hears, in sentences where an alignment model is in the cache."""
    import torch

    blocks = list(audio.blocks())
    if not blocks:
        return []
    start = blocks[0][0]
    samples = np.concatenate([block for _, block in blocks]).astype(np.float32) / 32768
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # whisperx logs and prints to stdout, which belongs to the program's own result.
    with contextlib.redirect_stdout(sys.stderr):
        import whisperx

        whisperx.setup_logging("error")
        logging.getLogger("lightning.pytorch.utilities.migration").setLevel(logging.ERROR)
        model = whisperx.load_model(
            str(folder),
            device,
            compute_type="float16" if device == "cuda" else "int8",
            local_files_only=True,
            threads=2,
        )
        heard = model.transcribe(
            samples,
            batch_size=16 if device == "cuda" else 4,
            # Without alignment a chunk's own times are all there is, so keep chunks short.
            chunk_size=15,
            progress_callback=lambda percent: on_progress(percent / 100),
        )
        segments = _align(heard["segments"], heard["language"], samples, device)
    return [
        SpeechLine(
            start=round(start + segment["start"], 3),
            end=round(start + segment["end"], 3),
            text=segment["text"].strip(),
            source=f"whisperx:{name}",
            score=round(math.exp(min(0.0, segment.get("avg_logprob", 0.0))), 4),
        )
        for segment in segments
        if segment["text"].strip()
    ]


def _align(segments: list[Any], language: str, samples: np.ndarray, device: str) -> list[Any]:
    """Return the segments cut into timed sentences, or as they are without the models for it."""
    import nltk
    import whisperx

    try:
        # whisperx would download both of these.
        nltk.data.find("tokenizers/punkt_tab/english/")
        model, metadata = whisperx.load_align_model(
            language,
            device,
            model_name=_ENGLISH_ALIGNER if language == "en" else None,
            model_cache_only=True,
        )
    except (LookupError, ValueError):
        return segments
    return list(whisperx.align(segments, model, metadata, samples, device)["segments"])


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
