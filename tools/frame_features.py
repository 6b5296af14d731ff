"""What a frame looks like as a vector: by a hub's image embedder, or by classical descriptors."""

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from tools.errors import InputError
from tools.picture_size import of_width

SIDE = 160  # pixels
HUES, SATURATIONS, VALUES = 12, 3, 4
GRID = 8
BATCH = 32


class FrameFeatures(Protocol):
    """Frames, and words where it knows any, as unit vectors of one space."""

    def of_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return float32 [n, d] for H x W x 3 uint8 RGB pictures, each row of length 1."""
        ...

    def of_text(self, text: str) -> np.ndarray | None:
        """Return float32 [d] of length 1; None where words have no place in this space."""
        ...


class ClassicalFeatures:
    """Colours, a thumbnail's brightness and where its edges are: three parts of equal weight."""

    def of_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return float32 [n, 272], each row of length 1."""
        return _unit(np.stack([_described(image) for image in images]))

    def of_text(self, text: str) -> None:
        """Return None: such a vector knows no words."""
        return None


class HubFeatures:
    """An image embedder that knows words (CLIP, SigLIP), by a hub name or a folder.

    Raises InputError where there is none of the name.
    """

    def __init__(self, name: str) -> None:
        import torch
        from transformers import AutoModel, AutoProcessor

        try:
            model = AutoModel.from_pretrained(name)
            self._processor = AutoProcessor.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise InputError(
                f"The image embedder {name!r} could not be loaded: give a folder that holds one, "
                "a hub name that can be reached, or none."
            ) from error
        if not hasattr(model, "get_image_features"):
            raise InputError(f"{name!r} embeds no pictures: name a CLIP or SigLIP model.")
        self._model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    def of_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return float32 [n, d], each row of length 1."""
        import torch

        rows = []
        for first in range(0, len(images), BATCH):
            inputs = self._processor(
                images=list(images[first : first + BATCH]), return_tensors="pt"
            )
            with torch.inference_mode():
                found = self._model.get_image_features(
                    pixel_values=inputs["pixel_values"].to(self._model.device)
                )
            rows.append(_pooled(found))
        return _unit(np.concatenate(rows))

    def of_text(self, text: str) -> np.ndarray:
        """Return float32 [d] of length 1."""
        import torch

        inputs = self._processor(
            text=[text], return_tensors="pt", padding="max_length", truncation=True
        )
        with torch.inference_mode():
            found = self._model.get_text_features(**inputs.to(self._model.device))
        return _unit(_pooled(found))[0]


def _described(image: np.ndarray) -> np.ndarray:
    small = of_width(image, SIDE)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    bins, ranges = [HUES, SATURATIONS, VALUES], [0, 180, 0, 256, 0, 256]
    colours = cv2.calcHist([hsv], [0, 1, 2], None, bins, ranges).ravel()
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    light = cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel().astype(np.float32)
    steps = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    edges = cv2.resize(steps, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel()
    parts = np.sqrt(colours), light - light.mean(), edges
    return np.concatenate([_unit(part[None])[0] for part in parts])


def _pooled(found: Any) -> np.ndarray:
    # Newer versions return the tower's whole output.
    return getattr(found, "pooler_output", found).float().cpu().numpy()


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-8)).astype(np.float32)
