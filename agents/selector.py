"""The selector: which of many videos a question is about, by the words of what they have."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log, sqrt

from agents.citer import COMMON
from training.scoring import fold


class Selector:
    """Ranks videos by their texts: the closest one of each counts.

    Words count by how few videos have them (tf-idf cosine, the question's length left out).
    """

    def __init__(self, texts: Mapping[str, Sequence[str]]) -> None:
        said = {video: [words_of(text) for text in found] for video, found in texts.items()}
        held = Counter(word for found in said.values() for word in set().union(*found))
        self._rarity = {word: log((len(texts) + 1) / count) for word, count in held.items()}
        self._sizes = {video: [self._size(one) for one in found] for video, found in said.items()}
        self._holding: dict[str, list[tuple[str, int]]] = {}
        for video, found in said.items():
            for number, one in enumerate(found):
                for word in one:
                    self._holding.setdefault(word, []).append((video, number))

    def scores(self, question: str) -> dict[str, float]:
        """Return how near each video's closest text is to a question; none for no word of it."""
        shared: dict[tuple[str, int], float] = {}
        for word in sorted(words_of(question)):
            for place in self._holding.get(word, ()):
                shared[place] = shared.get(place, 0.0) + self._rarity[word] ** 2
        best: dict[str, float] = {}
        for (video, number), found in shared.items():
            score = found / self._sizes[video][number]
            best[video] = max(best.get(video, 0.0), score)
        return best

    def _size(self, words: set[str]) -> float:
        return sqrt(sum(self._rarity[word] ** 2 for word in words)) or 1.0


def words_of(text: str) -> set[str]:
    """Return a text's words in the singular, without those that questions are made of."""
    return {_singular(word) for word in fold(text).split()} - COMMON


def _singular(word: str) -> str:
    ends = len(word) > 3 and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if ends else word
