"""Find when each word is said, with whisperx's alignment."""

import logging
from typing import Any
from unittest.mock import patch

import numpy as np

from tools.errors import InputError
from tools.weights import folder_of

ENGLISH = "facebook/wav2vec2-base-960h"


def aligned(heard: Any, samples: np.ndarray, device: str, name: str | None) -> list[dict[str, Any]]:
    """Return what whisperx heard as sentences with timed words.

    ``name`` is an alignment model by name or folder. Without it the language's usual one is taken
    where it is in the cache, else the segments are returned as they are. ``samples`` are float32 at
    16 kHz.
    """
    import whisperx
    from nltk.tokenize.punkt import PunktSentenceTokenizer
    from whisperx.alignment import DEFAULT_ALIGN_MODELS_HF

    language = heard["language"]
    segments: list[dict[str, Any]] = list(heard["segments"])
    usual = ENGLISH if language == "en" else DEFAULT_ALIGN_MODELS_HF.get(language)
    if not segments or (name or usual) is None:
        return segments
    try:
        folder = folder_of(str(name or usual), "alignment")
        model, metadata = whisperx.load_align_model(
            language, device, model_name=str(folder), model_cache_only=True
        )
    except (InputError, ValueError):
        if name is None:
            return segments
        raise InputError(
            f"The alignment model {name!r} could not be loaded: name a wav2vec2 model with letters."
        ) from None
    logging.getLogger("whisperx.alignment").setLevel(logging.ERROR)
    # whisperx would download data for its sentences; they are joined and cut anew by us anyway.
    with patch("whisperx.alignment.nltk_load", lambda _: PunktSentenceTokenizer()):
        return list(whisperx.align(segments, model, metadata, samples, device)["segments"])
