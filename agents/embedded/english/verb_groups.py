"""Verb groups: "founded", "was originally built", "has been measuring", "will present"."""

from dataclasses import dataclass

from agents.embedded.english.lexicon import is_verb_form, readings, words
from agents.embedded.english.noun_phrases import Reader

_HAVE = frozenset(("has", "have", "had"))


@dataclass(frozen=True)
class VerbGroup:
    """A verb group that ends before the token ``end``; its voice is active, passive or copula."""

    end: int
    lemma: str
    voice: str
    auxiliary: bool


class VerbReader:
    """Finds the verb groups of one sentence."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.sentence = reader.sentence

    def read(self, start: int) -> VerbGroup | None:
        """Return the verb group that begins at a token; None where it is negated or hedged."""
        sentence, place = self.sentence, start
        auxiliaries: list[str] = []
        while True:
            word = sentence.lower(place)
            if sentence.is_in(place, "function.negation") or word == "n't":
                return None
            auxiliary = sentence.is_in(place, "function.be", "verb.modal") or (
                word in ("be", "been", "being") if auxiliaries else False
            )
            if auxiliary or (word in _HAVE and self._participle_follows(place)):
                if place + 1 >= len(sentence):
                    return None
                auxiliaries.append(word)
                place += 1
            elif sentence.is_in(place, "function.adverb") or (
                word.endswith("ly") and len(word) > 4
            ):
                if not auxiliaries and not self.is_verb(place + 1):
                    return None
                if (
                    auxiliaries
                    and auxiliaries[-1] in words("function.be")
                    and not self.is_verb(place + 1)
                ):
                    return VerbGroup(place, "be", "copula", True)
                place += 1
            else:
                break
        if words("verb.hedged").intersection(auxiliaries):
            return None
        passive = bool(auxiliaries) and auxiliaries[-1] in words("function.be") | {
            "be",
            "been",
            "being",
        }
        if passive:
            if lemmas := readings(word, "participle"):
                return VerbGroup(place + 1, lemmas[0], "passive", True)
            if lemmas := readings(word, "gerund"):
                return VerbGroup(place + 1, lemmas[0], "active", True)
            simple = len(auxiliaries) == 1
            return VerbGroup(place, "be", "copula", True) if simple else None
        tags: tuple[str, ...] = ("past", "third", "base")
        if auxiliaries:
            tags = ("participle",) if auxiliaries[-1] in _HAVE else ("base",)
        elif sentence.lower(place + 1) == "by" and is_verb_form(word, "participle"):
            return None
        lemmas = readings(word, *tags)
        if word in _HAVE:
            lemmas = ["have"]
        if not lemmas or word in ("do", "does", "did"):
            return None
        end = place + 1
        particle = sentence.is_in(end, "function.particle") and not self.reader.hedges(end)
        if particle and self._object_follows(end + 1):
            end += 1
        lemma = self._choose(lemmas, word)
        return VerbGroup(end, lemma, "active", bool(auxiliaries))

    def _choose(self, lemmas: list[str], word: str) -> str:
        """Return the verb that is meant where a form belongs to two: "found" is past of "find"."""
        if len(lemmas) == 1 or word not in lemmas:
            return lemmas[0]
        return next(lemma for lemma in lemmas if lemma != word)

    def _participle_follows(self, place: int) -> bool:
        place += 1
        while (
            self.sentence.is_in(place, "function.adverb") or self.sentence.lower(place)[-2:] == "ly"
        ):
            place += 1
        word = self.sentence.lower(place)
        return word == "been" or (bool(word) and is_verb_form(word, "participle"))

    def is_verb(self, place: int) -> bool:
        """Return whether a token may be a form of a verb, or an auxiliary."""
        word = self.sentence.lower(place)
        return self.reader.is_finite(place) or is_verb_form(
            word, "past", "third", "base", "participle", "gerund"
        )

    def _object_follows(self, place: int) -> bool:
        return (
            self.sentence.is_in(place, "function.determiner", "function.preposition")
            or place in self.reader.names
            or place >= len(self.sentence)
            or self.sentence[place].is_mark
        )
