"""Finds the main clauses of a sentence, from left to right, as far as all of it is understood."""

from collections.abc import Iterator
from dataclasses import replace

from agents.embedded.english.clause import Chunk, Clause
from agents.embedded.english.complements import ComplementReader
from agents.embedded.english.lexicon import is_verb_form, words
from agents.embedded.english.noun_phrases import NounPhrase, Reader
from agents.embedded.english.times import time_phrase
from agents.embedded.english.tokens import Sentence
from agents.embedded.english.verb_groups import VerbReader

_COORDINATORS = frozenset(("and", "but", "so", "or"))


class ClauseReader:
    """Finds the clauses of one sentence."""

    def __init__(self, sentence: Sentence, reader: Reader) -> None:
        self.sentence = sentence
        self.reader = reader
        self.verbs = VerbReader(reader)
        self.parts = ComplementReader(reader, self.verbs)

    def clauses(self) -> Iterator[Clause]:
        """Yield the first clause and those joined to it, as long as each was understood."""
        place: int | None = 0
        while place is not None and place < len(self.sentence):
            clause = self._clause(place)
            if clause is None:
                return
            yield clause
            while clause and (other := self._second_predicate(clause)):
                clause = other
                yield clause
            place = self._next(clause.end)

    def _second_predicate(self, first: Clause) -> Clause | None:
        """Return what else is said of the same subject: "... and was completed in 1889"."""
        place = first.end + 1
        if first.stop != "and" or not first.chunks or not self.verbs.is_verb(place):
            return None
        if first.auxiliary and first.voice != "copula" and not self.reader.is_finite(place):
            return None
        if is_verb_form(self.sentence.lower(place), "gerund"):
            return None
        return self._predicate(place, first.subject, first.subject_end, first.plural, [], None)

    def _next(self, end: int) -> int | None:
        """Return where the next joined clause begins, after ", and" or ";"."""
        sentence = self.sentence
        for place in range(end, len(sentence)):
            if sentence[place].text in ";\u2013\u2014" or sentence.lower(place) == ":":
                return place + 1
            if sentence[place].text == "," and sentence.lower(place + 1) in _COORDINATORS:
                return place + 2
            if sentence[place].text == "," or place > end:
                return None
        return None

    def _clause(self, place: int) -> Clause | None:
        place = self._after_openers(place)
        leading: list[Chunk] = []
        while chunk := self._leading(place):
            leading.append(chunk)
            place = chunk.end + (self._text(chunk.end) == ",")
        place = self._after_openers(place)
        subject = self.reader.noun_phrase(place, subject=True)
        if subject is None:
            return None
        subject = self._with_its_places(subject)
        subject_end, plural = subject.end, subject.plural
        if self.sentence.lower(subject_end) == "and":
            other = self.reader.noun_phrase(subject_end + 1, subject=True)
            if other is None or not self.verbs.is_verb(other.end):
                return None
            subject_end, plural = other.end, True
        apposition = None
        place = subject_end
        if self._text(place) == ",":
            aside = self.reader.noun_phrase(place + 1)
            end = self._phrase_end(aside) if aside else 0
            if not aside or self._text(end) != "," or aside.pronoun:
                return None
            apposition = (place + 1, end)
            place = end + 1
        return self._predicate(place, subject, subject_end, plural, leading, apposition)

    def _with_its_places(self, subject: NounPhrase) -> NounPhrase:
        """Return a subject with the phrases that belong to it: "the flight from Oslo"."""
        end = subject.end
        while (
            self.sentence.lower(end) in words("function.subject_preposition")
            and not subject.pronoun
        ):
            part = self.reader.noun_phrase(end + 1, subject=True)
            if part is None or part.pronoun or time_phrase(self.sentence, end):
                return subject
            end = part.end
        return replace(subject, end=end) if self.verbs.is_verb(end) else subject

    def _phrase_end(self, phrase: NounPhrase) -> int:
        """Return the end of a noun phrase with its phrases of place: "a town in Norway"."""
        end = phrase.end
        while self.sentence.lower(end) in ("in", "at", "on", "for", "from", "near", "with"):
            part = self.reader.noun_phrase(end + 1)
            if part is None or part.pronoun:
                break
            end = part.end
        return end

    def _predicate(
        self, start: int, subject: NounPhrase, subject_end: int, plural: bool,
        leading: list[Chunk], apposition: tuple[int, int] | None,
    ) -> Clause | None:  # fmt: skip
        group = self.verbs.read(start)
        if group is None or (group.voice == "active" and not self._can_act(subject)):
            return None
        if any(
            self.sentence.is_in(i, "function.negation", "function.few")
            for i in range(subject.start, subject_end)
        ):
            return None
        place, lemma, voice = group.end, group.lemma, group.voice
        chunks: list[Chunk] = []
        while place < len(self.sentence):
            chunk = self.parts.complement(place, chunks, lemma, voice)
            if chunk is None:
                break
            chunks.append(chunk)
            place = chunk.end
        stop = self.sentence.lower(place)
        if not self._stops(place):
            return None
        if voice == "copula":
            plural = self.sentence.lower(start) in ("are", "were")
        return Clause(
            self.reader, subject, subject_end, start, group.end, lemma, voice, tuple(chunks),
            tuple(leading), place, stop, plural, apposition, group.auxiliary,
        )  # fmt: skip

    def _can_act(self, subject: NounPhrase) -> bool:
        """Return whether a noun phrase is no bare singular: "Turn left" has no subject."""
        if (
            subject.determiner
            or subject.plural
            or subject.pronoun
            or subject.end > subject.core_end
        ):
            return True
        word = self.sentence.lower(subject.head)
        abstract = word.endswith(("tion", "ment", "ness", "ity", "ism", "ing", "sis"))
        counted = subject.number is not None or subject.name is not None
        return counted or abstract or word in words("noun.mass")

    def _leading(self, place: int) -> Chunk | None:
        if time := time_phrase(self.sentence, place):
            return Chunk("time", place, time[0], answer=(time[1], time[2]))
        if self.parts.is_rate(place):
            return Chunk("adverb", place, place + 2)
        if not self.sentence.is_in(place, "function.preposition"):
            return None
        chunk = self.parts.with_preposition(place)
        return chunk if chunk and self._text(chunk.end) == "," else None

    def _after_openers(self, place: int) -> int:
        while self.sentence.is_in(place, "function.opener", "function.adverb") or (
            self.sentence.lower(place).endswith("ly") and self._text(place + 1) == ","
        ):
            comma = self._text(place + 1) == ","
            if not comma and self.sentence.lower(place) not in words(
                "function.opener_without_comma"
            ):
                break
            place += 2 if comma else 1
        return place

    def _stops(self, place: int) -> bool:
        """Return whether a clause may end here: at a mark, a conjunction, a new clause."""
        sentence = self.sentence
        if place >= len(sentence):
            return True
        word = sentence.lower(place)
        if word == "to" and is_verb_form(sentence.lower(place + 1), "base"):
            return True
        return (
            (sentence[place].is_mark and sentence[place].text not in "'\u2019\"\u201c\u201d([/-%$")
            or word in _COORDINATORS
            or sentence.is_in(place, "function.subordinator")
            or is_verb_form(word, "gerund")
        )

    def _text(self, place: int) -> str:
        return self.sentence[place].text if 0 <= place < len(self.sentence) else ""
