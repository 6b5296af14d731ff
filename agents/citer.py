"""The citer: which of a video's evidence supports an answer, found by answer and question."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from tools.evidence import LOOKS, TEXTS, Evidence
from training.scoring import fold, is_refusal, reasoned, times

if TYPE_CHECKING:
    import numpy as np

MOST = 3
# Share of an answer's words, weighted by how rare they are, that a piece of evidence must have.
ENOUGH = 0.8
# Texts that have a rare word, at most.
RARE = 3
# Seconds by which a time that is told may miss the span that it names.
TOLERANCE = 1.0
_LATER = re.compile(r"\b(after|next|behind|follow\w*|later|then|succeed\w*)\b")
_EARLIER = re.compile(r"\b(before|previous\w*|precede\w*|in front|ahead|earlier|prior)\b")
_POSSESSIVE = re.compile(r"['\u2019]s\b", re.IGNORECASE)
# Capitalised words within a sentence.
_NAME = re.compile(r"(?<=[a-z,] )(?!I\b)[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")
_ASKS = {
    "colour": re.compile(r"\b(colou?rs?|hues?|tint\w*|shade)\b"),
    "brightness": re.compile(r"\b(bright\w*|light\w*|dark\w*)\b"),
    "motion": re.compile(r"\b(mov\w*|motion|direction|drift\w*)\b"),
    "faces": re.compile(r"\b(faces?|people|persons?)\b"),
    "speech": re.compile(
        r"\b(sa(y|ys|id|ying)|voice|spoken|words?|sentences?|hear\w*|speaker"
        r"|tell\w*(?! (?:me|us)\b))\b"
    ),
    "title": re.compile(r"\b(titles?|head(ing|line|ed)s?|slides?|cards?)\b"),
    "text": re.compile(r"\b(lines?|text|below|reads?|written|caption\w*)\b"),
}


@dataclass(frozen=True)
class Cited:
    """A piece of evidence and how far, from 0 to 1, it has what the answer says."""

    evidence: Evidence
    support: float


class Citer:
    """Cites one video's evidence; ``embeddings`` are float32 [evidence, dimensions] of it.

    What a question costs depends on its words, hardly on the length of the video.
    """

    def __init__(self, evidence: Sequence[Evidence], embeddings: "np.ndarray") -> None:
        self.evidence = list(evidence)
        self._embeddings = embeddings
        self._starts = sorted(item.start for item in evidence if item.kind == "shot") or [0.0]
        self._shot_of = [self._shot_at((item.start + item.end) / 2) for item in evidence]
        self._of_shot: defaultdict[int, list[int]] = defaultdict(list)
        for number, shot in enumerate(self._shot_of):
            self._of_shot[shot].append(number)
        self._folded = [_plain(item.value) for item in evidence]
        self._holding: defaultdict[str, list[int]] = defaultdict(list)
        self._looking: defaultdict[str, list[int]] = defaultdict(list)
        for number, item in enumerate(self.evidence):
            if item.kind in TEXTS:
                for word in sorted(set(self._folded[number].split())):
                    self._holding[word].append(number)
            elif item.kind in LOOKS:
                self._looking[self._folded[number]].append(number)
        self._texts = sum(item.kind in TEXTS for item in self.evidence)
        self._rarity = {
            word: log((1 + self._texts) / len(items)) for word, items in self._holding.items()
        }

    def cite(self, question: str, answer: str, vector: "np.ndarray") -> list[Cited]:
        """Return up to `MOST` pieces that support an answer, best first; none where none does.

        ``vector`` is the unit-length embedding of question and answer together.
        """
        if not self.evidence or is_refusal(answer):
            return []
        asked = _plain(question)
        held = self._held(asked)
        near = self._places(question, held)
        hints = {kind for kind, words in _ASKS.items() if words.search(asked)}
        ranked = []
        for number, support in self._supporting(answer, near, hints).items():
            item = self.evidence[number]
            likeness = float(self._embeddings[number] @ vector)
            score = near.get(self._shot_of[number], 0.0) + held.get(number, 0.0)
            score += 0.5 * (item.kind in hints) + support + 0.3 * likeness
            ranked.append((score, -number, support))
        found: list[Cited] = []
        for _, number, support in sorted(ranked, reverse=True):
            item = self.evidence[-number]
            if all((item.start, item.end) != (c.evidence.start, c.evidence.end) for c in found):
                found.append(Cited(item, support))
            if len(found) == MOST:
                break
        return found

    def nearest(self, question: str, vector: "np.ndarray", most: int) -> list[int]:
        """Return the shots, by their numbers, that a question is most likely about, best first.

        ``vector`` is the unit-length embedding of the question.
        """
        near = self._places(question, self._held(_plain(question)))
        likeness = self._embeddings @ vector
        best: defaultdict[int, float] = defaultdict(float)
        for number in likeness.argsort()[::-1][: 10 * most].tolist():
            shot = self._shot_of[number]
            best[shot] = max(best[shot], float(likeness[number]))
        scored = {shot: near.get(shot, 0.0) + best.get(shot, 0.0) for shot in {*near, *best}}
        inside = (shot for shot in scored if 0 <= shot < len(self._starts))
        return sorted(inside, key=lambda shot: -scored[shot])[:most]

    def of_shots(self, shots: Collection[int]) -> list[Evidence]:
        """Return the evidence of shots, the shots themselves included."""
        numbers = sorted(number for shot in set(shots) for number in self._of_shot.get(shot, ()))
        return [self.evidence[number] for number in numbers]

    def strays(self, question: str, proofs: Sequence[Cited]) -> bool:
        """Tell whether a rare word of a question stands in the video, but not near its proofs.

        "Who built the museum?" is not answered by who built the tower.
        """
        asked = _plain(question)
        beside = 1 if _LATER.search(asked) or _EARLIER.search(asked) else 0
        near: set[int] = set()
        for one in proofs:
            first, last = self._shot_at(one.evidence.start), self._shot_at(one.evidence.end - 0.01)
            near |= {*range(first - beside, last + beside + 1)}
        for word in set(asked.split()) - COMMON - FILLING:
            holding = self._holding.get(word, ())
            if 0 < len(holding) <= RARE and not any(self._shot_of[n] in near for n in holding):
                return True
        return False

    def is_foreign(self, question: str) -> bool:
        """Tell whether a question names something of which no text here has a word."""
        for name in _NAME.findall(question):
            words = [word for word in _plain(name).split() if len(word) > 1]
            if words and not any(self._has(word) for word in words):
                return True
        return False

    def _has(self, word: str) -> bool:
        # A recogniser may join or cut a word.
        return word in self._holding or any(
            known.startswith(word) or word.startswith(known)
            for known in self._holding
            if min(len(known), len(word)) > 3
        )

    def _held(self, asked: str) -> dict[int, float]:
        """Return the texts that a folded question has words of, with the share of their words.

        A share is weighted by rarity; one rare word of a long sentence names it as well.
        """
        shared: defaultdict[int, float] = defaultdict(float)
        for word in set(asked.split()) - COMMON:
            for number in self._holding.get(word, ()):
                shared[number] += self._rarity[word]
        rare = log(max(2, self._texts)) - 0.7
        return {
            number: max(found / self._weight(self._folded[number]), 0.5 * (found > rare))
            for number, found in shared.items()
        }

    def _weight(self, folded: str) -> float:
        return sum(self._rarity.get(word, 9.0) for word in set(folded.split()) - COMMON) or 1.0

    def _places(self, question: str, held: Mapping[int, float]) -> dict[int, float]:
        """Return the shots that a question points to, from 0 to about 1 each."""
        asked = _plain(question)
        near: defaultdict[int, float] = defaultdict(float)
        for number, weight in held.items():
            near[self._shot_of[number]] = max(near[self._shot_of[number]], weight)
        for word in set(asked.split()):
            for number in self._looking.get(word, ()):
                near[self._shot_of[number]] = max(near[self._shot_of[number]], 0.3)
        for time in times(question):
            near[self._shot_at(time)] += 1.0
        later, earlier = _LATER.search(asked) is not None, _EARLIER.search(asked) is not None
        if later != earlier:
            step = 1 if later else -1
            for shot, weight in list(near.items()):
                near[shot + step] += 0.6 * weight
        return dict(near)

    def _supporting(
        self, answer: str, near: Mapping[int, float], hints: Collection[str]
    ) -> dict[int, float]:
        """Return the evidence that has what an answer says, and how far, from `ENOUGH` to 1."""
        if moments := times(answer):
            return {
                number: 1.0
                for number, item in enumerate(self.evidence)
                if item.kind != "shot"
                and (item.kind in hints or self._shot_of[number] in near)
                and (
                    any(item.start - TOLERANCE <= t <= item.end + TOLERANCE for t in moments)
                    # A ferry that leaves at 8:00 leaves at no moment of the video.
                    or (item.kind in TEXTS and {*moments} & {*times(item.value)})
                )
            }
        said = reasoned(answer)[0] or answer
        if fold(said) in ("yes", "no"):
            most = max(near.values(), default=0.0)
            shots = {shot for shot, weight in near.items() if weight == most}
            return {number: 1.0 for shot in shots for number in self._of_shot.get(shot, ())}
        found: dict[int, float] = {}
        for part in map(_plain, said.split(";")):
            found |= dict.fromkeys(self._looking.get(part, ()), 1.0)
            words = sorted(set(part.split()), key=lambda word: -self._rarity.get(word, 0.0))
            # What has enough of an answer has one of its rarest words.
            for number in {n for word in words[:2] for n in self._holding.get(word, ())}:
                if (support := self._told(self._folded[number], part)) >= ENOUGH:
                    found[number] = max(found.get(number, 0.0), support)
        return found

    def _told(self, text: str, part: str) -> float:
        if f" {part} " in f" {text} ":
            return 1.0
        words = set(part.split())
        shared = sum(self._rarity.get(word, 9.0) for word in words & set(text.split()))
        whole = sum(self._rarity.get(word, 9.0) for word in words)
        return shared / whole if len(words) > 1 else 0.0

    def _shot_at(self, time: float) -> int:
        return max(0, bisect_right(self._starts, time) - 1)


def _plain(text: str) -> str:
    """Return a text folded, and what owns without its ending: "NASA's" holds the answer "NASA"."""
    return fold(_POSSESSIVE.sub("", text))


# What questions are made of.
_COMMON_WORDS = """
a an the of in on at to is are was were be been do does did what which who whom whose when where why
how it its that this these those and or for from with by as one there then video film shown show
shows seen see said say says i you he she they we him her them his their has have had after before
while during into out up down not no yes any some
"""
COMMON = frozenset(_COMMON_WORDS.split())
# What stands around what is asked for.
_FILLING_WORDS = """
about also around big called exactly just kind made make makes making many more most much named now
only part really small sort story talk thing things today very way words
"""
FILLING = frozenset(_FILLING_WORDS.split())
