"""Speech recognition with whisperx: in batches, its words aligned, and who says them if asked."""

import contextlib
import logging
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tools.align_words import ENGLISH, aligned
from tools.audio import AudioTrack
from tools.diarize import with_speakers
from tools.errors import InputError
from tools.heard import Progress
from tools.speech_line import SpeechLine, TimedWord
from tools.weights import folder_of, missing

# Tried in this order where no model is asked for.
NAMES = ("small", "base", "medium", "large-v3-turbo", "large-v3", "tiny")
FILES = ("model.bin", "config.json", "tokenizer.json")
# Without alignment a chunk's own times are all there is, so they are short, in seconds.
CHUNK = 15
# Shares of the progress: what is heard, and then aligned and told apart.
HEARD, ALIGNED = 0.8, 0.9


@dataclass(frozen=True)
class WhisperModels:
    """Models by name or folder; None: whisperx's own, where they are here.

    ``whisper`` is one in CTranslate2 form, ``align`` a wav2vec2 model with letters, ``diarize`` a
    pipeline of pyannote.audio: without it speakers are not told apart.
    """

    whisper: str | None = None
    align: str | None = None
    diarize: str | None = None

    def check(self) -> None:
        """Raise InputError, with the command that gets it, for a named model that is not here."""
        if self.whisper is not None and find_whisper(self.whisper) is None:
            if Path(self.whisper).is_dir():
                raise InputError(
                    f"{self.whisper} holds no Whisper model: name a folder with {', '.join(FILES)}."
                )
            raise missing(self.whisper, "Whisper", _repository(self.whisper))
        for kind, name in (("alignment", self.align), ("diarization", self.diarize)):
            if name is not None:
                folder_of(name, kind)


USUAL = WhisperModels()


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
        for candidate in NAMES if name is None else (name,):
            # An unknown name is a ValueError, one not in the cache an OSError.
            with contextlib.suppress(ValueError, OSError):
                folders.append((candidate, Path(download_model(candidate, local_files_only=True))))
    for label, folder in folders:
        if all((folder / file).is_file() for file in FILES):
            return label, folder
    return None


def that_hear(models: WhisperModels) -> WhisperModels:
    """Return the models by name that would hear now: those asked for, else the usual ones here."""
    found = find_whisper(models.whisper)
    if found is None:
        return models
    align = models.align
    with contextlib.suppress(InputError):
        folder_of(align or ENGLISH, "alignment")
        align = align or ENGLISH
    return replace(models, whisper=models.whisper or found[0], align=align)


def recognise_whisper(
    audio: AudioTrack,
    name: str,
    folder: Path,
    on_progress: Progress,
    models: WhisperModels = USUAL,
) -> list[SpeechLine]:
    """Return what whisperx hears: sentences with timed words where an alignment model is here."""
    import torch

    blocks = list(audio.blocks())
    if not blocks:
        return []
    start = blocks[0][0]
    samples = np.concatenate([block for _, block in blocks]).astype(np.float32) / 32768
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with _quiet() as whisperx:
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
            chunk_size=CHUNK,
            # A model of English alone cannot be asked which language it is.
            language=None if model.model.model.is_multilingual else "en",
            progress_callback=lambda percent: on_progress(HEARD * percent / 100),
        )
        found = aligned(heard, samples, device, models.align)
        on_progress(ALIGNED)
        if models.diarize is not None:
            found = with_speakers(found, samples, device, models.diarize)
    lines = (_line(segment, start, f"whisperx:{name}") for segment in found)
    return [line for line in lines if line.text]


def _line(segment: dict[str, Any], start: float, source: str) -> SpeechLine:
    words = tuple(_words(segment, start))
    return SpeechLine(
        start=round(float(start + segment["start"]), 3),
        end=round(float(start + segment["end"]), 3),
        text=" ".join(word.text for word in words) or segment["text"].strip(),
        source=source,
        score=round(math.exp(min(0.0, segment.get("avg_logprob", 0.0))), 4),
        speaker=segment.get("speaker"),
        words=words,
    )


def _words(segment: dict[str, Any], start: float) -> Iterator[TimedWord]:
    """Yield the aligned words; one without letters ("1921") has its neighbours' times."""
    words = segment.get("words", [])
    ends = [segment["start"], *(word.get("end") for word in words)]
    begins = [*(word.get("start") for word in words), segment["end"]]
    for place, word in enumerate(words):
        before = next(end for end in reversed(ends[: place + 1]) if end is not None)
        after = next(begin for begin in begins[place + 1 :] if begin is not None)
        since = word.get("start", before)
        until = word.get("end", max(since, after))
        yield TimedWord(
            text=word["word"],
            start=round(float(start + since), 3),
            end=round(float(start + until), 3),
            speaker=word.get("speaker", segment.get("speaker")),
        )


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    """Lend whisperx, whose logs and prints go where the program's own result does not."""
    with contextlib.redirect_stdout(sys.stderr):
        import whisperx

        whisperx.setup_logging("error")
        logging.getLogger("lightning.pytorch.utilities.migration").setLevel(logging.ERROR)
        yield whisperx


def _repository(name: str) -> str:
    from faster_whisper.utils import _MODELS

    return name if "/" in name else str(_MODELS.get(name, f"Systran/faster-whisper-{name}"))
