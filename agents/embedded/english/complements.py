"""What may stand after a verb: an object, a measure, a time, a phrase with a preposition."""

from agents.embedded.english.clause import Chunk
from agents.embedded.english.lexicon import is_verb_form, words
from agents.embedded.english.noun_phrases import NounPhrase, Reader
from agents.embedded.english.quantities import is_compared, measure
from agents.embedded.english.times import time_phrase
from agents.embedded.english.verb_groups import VerbReader


class ComplementReader:
    """Reads the parts of one sentence's clauses that follow the verb."""

    def __init__(self, reader: Reader, verbs: VerbReader) -> None:
        self.sentence = reader.sentence
        self.reader = reader
        self.verbs = verbs

    def complement(self, place: int, before: list[Chunk], lemma: str, voice: str) -> Chunk | None:
        """Return the part of a clause that begins at a token after the verb, or None."""
        sentence = self.sentence
        if time := time_phrase(sentence, place):
            return Chunk("time", place, time[0], answer=(time[1], time[2]))
        hedges = not before and voice != "passive" and self.reader.hedges(place)
        if sentence.is_in(place, "function.preposition") and not hedges:
            return self.with_preposition(place)
        adverb = sentence.is_in(place, "function.adverb") and not hedges
        if adverb and sentence.lower(place) != "more":
            return Chunk("adverb", place, place + 1)
        if self.is_rate(place):
            return Chunk("adverb", place, place + 2)
        if end := self._rate_end(place):
            return Chunk("rate", place, end)
        if before or voice == "passive":
            return None
        if measured := measure(sentence, self.reader, place, lemma):
            return Chunk("measure", place, measured.end)
        phrase = self.reader.noun_phrase(place)
        if phrase is None or self._is_difference(phrase):
            return None
        end = phrase.end
        listed = self._list_end(end)
        return Chunk("object", place, listed, phrase) if listed else None

    def _is_difference(self, phrase: NounPhrase) -> bool:
        """Return whether a quantity is only less or more than another: "50 cars fewer"."""
        compared = is_compared(self.sentence, phrase.end)
        return phrase.number is not None and (
            compared or self.sentence.is_in(phrase.head, "function.few")
        )

    def _list_end(self, end: int) -> int:
        """Return where a list goes on to, after its first part: "bread, cakes and pies".

        0 where it cannot be understood.
        """
        place = end
        while self._text(place) == ",":
            phrase = self.reader.noun_phrase(place + 1)
            if phrase is None or (self.sentence.lower(phrase.end) != "and" and (
                self._text(phrase.end) != ","
            )):  # fmt: skip
                break
            place = phrase.end
        comma = self._text(place) == "," and place > end
        joint = place + comma
        if self.sentence.lower(joint) != "and" or self._clause_follows(joint + 1):
            return end
        last = self.reader.noun_phrase(joint + 1)
        return last.end if last else 0

    def is_rate(self, place: int) -> bool:
        """Return whether "a day", "every year" or "five times" begins at a token."""
        first = self.sentence.lower(place)
        if first in ("a", "an", "each", "every", "per"):
            return self.sentence.is_in(place + 1, "number.duration")
        return self.reader.is_number(place) and self.sentence.lower(place + 1) == "times"

    def _rate_end(self, place: int) -> int:
        """Return the end of "every 20 seconds" at a token, or 0."""
        if self.sentence.lower(place) != "every" or not self.reader.is_number(place + 1):
            return 0
        unit = self.reader.number_end(place + 1)
        return unit + 1 if self.sentence.is_in(unit, "number.duration") else 0

    def _clause_follows(self, place: int) -> bool:
        """Return whether a new clause and no second object comes after "and"."""
        verb = is_verb_form(self.sentence.lower(place), "past", "third")
        if verb and (
            self.reader.starts_phrase(place + 1) or self.sentence.lower(place + 1) == "to"
        ):
            return True
        subject = self.reader.noun_phrase(place, subject=True)
        if subject is None or subject.pronoun:
            return True
        return subject.end < len(self.sentence) and self.verbs.is_verb(subject.end)

    def with_preposition(self, place: int) -> Chunk | None:
        """Return the phrase that begins with the preposition at a token, or None."""
        sentence = self.sentence
        start = place
        if sentence.lower(place) in ("up", "out", "down", "off") and sentence.is_in(
            place + 1, "function.preposition"
        ):
            place += 1
        verb = is_verb_form(sentence.lower(place + 1), "base")
        if sentence.lower(place) == "to" and verb and place + 1 not in self.reader.names:
            return None
        phrase = self.reader.noun_phrase(place + 1)
        if phrase is None:
            return None
        end = phrase.end
        if self._region_follows(end, phrase):
            region = self.reader.names[end + 1]
            if self.sentence.lower(region.end) in ("and", "or"):
                # "in Berlin, Paris and Oslo" is a list and no region.
                return None
            end = region.end + (self._text(region.end) == "," and self._goes_on(region.end + 1))
        elif sentence.lower(end) == "and" and not self._clause_follows(end + 1):
            other = self.reader.noun_phrase(end + 1)
            named = phrase.name is not None
            if other is None or (named and other.name is None and not other.determiner):
                return None
            end = other.end
        if sentence.lower(start) in words("function.inner_place") and sentence.lower(end) in words(
            "function.outer_place"
        ):
            # "on a hill above the city" is one place.
            outer = self.with_preposition(end) if not time_phrase(sentence, end) else None
            named = phrase.name is not None and phrase.name.kind in ("name", "organisation")
            place_in = named and sentence.lower(end) == "in"
            if outer and outer.phrase and self._is_place(outer.phrase):
                end = outer.end if place_in or self._is_place(phrase) else end
        return Chunk("phrase", start, end, phrase)

    def _is_place(self, phrase: NounPhrase) -> bool:
        name = phrase.name
        if name is not None and phrase.head == name.end - 1:
            return name.kind == "place"
        return self.sentence.lower(phrase.head) in words("noun.place")

    def _region_follows(self, end: int, phrase: NounPhrase) -> bool:
        """Return whether ", Maryland" goes on a place's name."""
        region = self.reader.names.get(end + 1)
        return (
            self._text(end) == ","
            and phrase.name is not None
            and region is not None
            and region.kind == "place"
        )

    def _goes_on(self, place: int) -> bool:
        return self.sentence.lower(place) in ("in", "on", "at", "by")

    def _text(self, place: int) -> str:
        return self.sentence[place].text if 0 <= place < len(self.sentence) else ""
