"""How near frames are to questions or a topic: by what they show, and by what is told meanwhile."""

from collections.abc import Sequence

import numpy as np

from tools.embedding import Embedder
from tools.frame_features import FrameFeatures
from tools.keyframes import salience

# What being unlike the rest adds: it decides alone where nothing is asked or told.
SALIENCE = 0.5


def relevance(
    queries: Sequence[str],
    features: np.ndarray,
    texts: Sequence[str],
    *,
    looks: FrameFeatures,
    embedder: Embedder,
) -> np.ndarray:
    """Return the relevance [n] of frames with ``features`` [n, d] in the space of ``looks``.

    ``texts`` are what is written and said at each of them. A frame counts by the better of the two
    cosines with the nearest of the ``queries``, and by a little of its salience, which is all there
    is without a query.
    """
    found = SALIENCE * salience(features)
    asked = [query for query in queries if query.strip()]
    if not asked:
        return found
    nearest = _told(asked, texts, embedder)
    for query in asked:
        if (words := looks.of_text(query)) is not None:
            nearest = np.maximum(nearest, features @ words)
    return found + nearest


def _told(asked: Sequence[str], texts: Sequence[str], embedder: Embedder) -> np.ndarray:
    distinct = sorted({text for text in texts if text.strip()})
    if not distinct:
        return np.zeros(len(texts), np.float32)
    best = (embedder.embed(distinct) @ embedder.embed(asked).T).max(axis=1)
    near = dict(zip(distinct, best, strict=True))
    return np.array([near.get(text, 0.0) for text in texts], np.float32)
