"""The evidence of a video by time, for looking again at the spans that a record cites."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from agents.comparison import fold
from tools.evidence import TEXTS, Evidence
from training.facts import Span

# Seconds: no evidence spans many of these, and few pieces share one.
_BUCKET = 10.0


class EvidenceIndex:
    """Finds evidence by time in constant time, and texts anywhere."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._evidence = evidence
        self._buckets: defaultdict[int, list[Evidence]] = defaultdict(list)
        for item in evidence:
            for bucket in range(int(item.start // _BUCKET), int(item.end // _BUCKET) + 1):
                self._buckets[bucket].append(item)
        self.start = min((item.start for item in evidence), default=0.0)
        self.end = max((item.end for item in evidence), default=0.0)

    def at(self, spans: Sequence[Span]) -> list[Evidence]:
        """Return the evidence that meets one of the spans, each piece once."""
        found: dict[str, Evidence] = {}
        for start, end in spans:
            for bucket in range(int(start // _BUCKET), int(end // _BUCKET) + 1):
                for item in self._buckets.get(bucket, ()):
                    if item.start < end and item.end > start:
                        found[item.id] = item
        return list(found.values())

    def says(self, text: str) -> bool:
        """Return whether a text stands in a title, a line or a sentence anywhere."""
        return f" {fold(text)} " in self._told

    def shows(self, text: str) -> bool:
        """Return whether a text is quoted from the video: several words of it, or a whole line."""
        return self.says(text) if " " in fold(text) else f"\n {fold(text)} \n" in self._told

    @cached_property
    def _told(self) -> str:
        texts = [f" {fold(item.value)} " for item in self._evidence if item.kind in TEXTS]
        return "\n".join(["", *texts, ""])


def is_in_words(text: str) -> bool:
    """Return whether a text has a letter or a digit: dots and dashes say nothing."""
    return any(character.isalnum() for character in text)


def has_words(text: str, part: str) -> bool:
    """Return whether a text has a part of it, word for word where the folding keeps words whole."""
    # Folding joins "NASA's" to one word: a name in front of it is found as it stands.
    return f" {fold(part)} " in f" {fold(text)} " or stands_in(text, part)


def stands_in(text: str, part: str) -> bool:
    """Return whether a text has a part of it, letter for letter, between other words."""
    return bool(part.strip()) and bool(re.search(rf"(?<!\w){re.escape(part.strip())}(?!\w)", text))


def holds(item: Evidence, value: str) -> bool:
    """Return whether a piece of evidence proves a value: it is it, or its text has it."""
    if item.kind in TEXTS:
        return has_words(item.value, value)
    return fold(item.value) == fold(value)
