"""Choose the frames of a video that are worth their tokens.

Each choice is given candidates in the order of the video and returns the places of at most
``count`` of them, in that order.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

METHODS = ("differential", "clustering", "uniform")
# Two frames that are more alike than this (cosine) show the same.
ALIKE = 0.85


def choose(
    method: str, features: np.ndarray, relevance: np.ndarray, count: int, seed: int = 0
) -> list[int]:
    """Return what one of `METHODS` chooses."""
    if method == "uniform":
        return uniform(len(features), count)
    if method == "clustering":
        return clustering(features, count, seed)
    return differential(features, relevance, count)


def uniform(candidates: int, count: int) -> list[int]:
    """Return the middles of so many equal parts."""
    kept = min(count, candidates)
    return [int((place + 0.5) * candidates / kept) for place in range(kept)]


def clustering(features: np.ndarray, count: int, seed: int = 0) -> list[int]:
    """Return the frames nearest to the centres of k-means, as KTV does (arXiv 2602.03615).

    ``features`` are [n, d].
    """
    from sklearn.cluster import KMeans

    if len(features) <= count:
        return list(range(len(features)))
    different = len(np.unique(features, axis=0))
    found = KMeans(min(count, different), n_init=1, random_state=seed).fit(features)
    distances = found.transform(features)
    return sorted({int(place) for place in distances.argmin(axis=0)})


def differential(
    features: np.ndarray, relevance: np.ndarray, count: int, alike: float = ALIKE
) -> list[int]:
    """Return the most relevant frames of which no two are alike (ViLaMP, arXiv 2504.02438).

    ``features`` [n, d] are unit vectors, ``relevance`` [n] is to the question or the topic. What is
    left of the count goes into the longest stretches that nothing was chosen from.
    """
    chosen: list[int] = []
    for place in np.argsort(-relevance, kind="stable"):
        if len(chosen) == min(count, len(features)):
            return sorted(chosen)
        if not chosen or (features[chosen] @ features[place]).max() <= alike:
            chosen.append(int(place))
    while len(chosen) < min(count, len(features)):
        chosen.append(_middle_of_longest_gap(sorted(chosen), len(features)))
    return sorted(chosen)


def salience(features: np.ndarray) -> np.ndarray:
    """Return how unlike the rest each frame is, 0 to 1 [n], from unit vectors [n, d].

    It stands for relevance where nothing is asked: what is seldom seen is missed most easily.
    """
    if not len(features):
        return np.zeros(0, np.float32)
    return (1 - np.clip(features @ features.T, 0, 1)).mean(axis=1)


def _middle_of_longest_gap(chosen: Sequence[int], candidates: int) -> int:
    edges = [-1, *chosen, candidates]
    gaps = [(after - before, -before) for before, after in pairwise(edges)]
    length, before = max(gaps)
    return -before + length // 2
