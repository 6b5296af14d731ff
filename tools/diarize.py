"""Tell speakers apart, with pyannote.audio through whisperx."""

from typing import Any

import numpy as np

from tools.weights import folder_of


def with_speakers(
    segments: list[dict[str, Any]], samples: np.ndarray, device: str, name: str
) -> list[dict[str, Any]]:
    """Return whisperx's segments with a ``speaker`` each, and each word its own.

    ``name`` is a pipeline by name or folder, ``samples`` are float32 at 16 kHz. Raises InputError
    where it is not on this machine.
    """
    from whisperx.diarize import DiarizationPipeline, assign_word_speakers

    pipeline = DiarizationPipeline(str(folder_of(name, "diarization")), device=device)
    found = assign_word_speakers(pipeline(samples), {"segments": segments})
    return list(found["segments"])
