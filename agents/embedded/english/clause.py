"""A main clause that was understood, and the questions that it turns into."""

from dataclasses import dataclass

from agents.embedded.english.lexicon import is_verb_form, participle, readings, words
from agents.embedded.english.noun_phrases import NounPhrase, Reader
from agents.embedded.english.tokens import Sentence


@dataclass(frozen=True)
class Chunk:
    """A part of a clause beside subject and verb: an object, a measure, a phrase, a time.

    ``answer`` is the token range of the time itself where ``kind`` is "time".
    """

    kind: str
    start: int
    end: int
    phrase: NounPhrase | None = None
    answer: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Clause:
    """A clause that was understood up to ``end``; ``stop`` is the token after it, if any."""

    reader: Reader
    subject: NounPhrase
    subject_end: int
    verb_start: int
    verb_end: int
    lemma: str
    voice: str
    chunks: tuple[Chunk, ...]
    leading: tuple[Chunk, ...]
    end: int
    stop: str
    plural: bool
    apposition: tuple[int, int] | None = None
    auxiliary: bool = False

    @property
    def sentence(self) -> Sentence:
        """The sentence that the clause stands in."""
        return self.reader.sentence

    @property
    def object(self) -> Chunk | None:
        """The object of an active verb, or what a form of "be" says of the subject."""
        return next((chunk for chunk in self.chunks if chunk.kind == "object"), None)

    @property
    def times(self) -> list[Chunk]:
        """The phrases that say when."""
        return [chunk for chunk in (*self.leading, *self.chunks) if chunk.kind == "time"]

    def subject_text(self) -> str:
        """Return the subject as it stands inside a sentence."""
        return inside(self.reader, self.subject.start, self.subject_end)

    def predicate(self, *, times: bool = True) -> str:
        """Return verb and complements, as they follow "who" or "what".

        ``times`` tells whether the phrases of time are among them.
        """
        parts = [self.sentence.slice(self.verb_start, self.verb_end)]
        kept = [c for c in (*self.chunks, *self.leading) if times or c.kind != "time"]
        parts += [
            self.sentence.slice(c.start, c.end)
            if c in self.chunks
            else inside(self.reader, c.start, c.end)
            for c in kept
        ]
        return " ".join(parts)

    def inverted(self, left_out: Chunk, *, stranded: str = "", times: bool = True) -> str:
        """Return the clause as it stands in a question about the chunk that is left out.

        ``stranded`` is that chunk's preposition where the question keeps it; ``times`` tells
        whether the clause's other phrases of time stay.
        """
        sentence = self.sentence
        verb = [sentence[i].text for i in range(self.verb_start, self.verb_end)]
        if self.auxiliary:
            first, rest = verb[0], verb[1:]
        else:
            place = next(
                i for i, word in enumerate(verb) if readings(word.lower(), "past", "third", "base")
            )
            word = verb[place].lower()
            present = "do" if self.plural else "does"
            first = "did" if is_verb_form(word, "past") else present
            rest = [*verb[:place], self.lemma, *verb[place + 1 :]]
        parts = [first.lower(), self.subject_text(), *rest]
        for chunk in self.chunks:
            by = stranded and sentence.lower(chunk.start) == "by"
            focus = chunk.kind == "adverb" and sentence.is_in(chunk.start, "function.focus")
            if chunk != left_out and not by and not focus and (times or chunk.kind != "time"):
                parts += [sentence.slice(chunk.start, chunk.end)]
        for chunk in self.leading:
            if chunk != left_out and (times or chunk.kind != "time"):
                parts += [inside(self.reader, chunk.start, chunk.end)]
        return " ".join(part for part in (*parts, stranded) if part)

    def passive(self, left_out: Chunk, *, stranded: str = "", times: bool = True) -> str:
        """Return an active clause in the past as a question without its subject, or nothing.

        "Pieter made the lamp in Bruges" is asked as "was the lamp made", of the place.
        """
        thing = self.object
        verb = self.sentence.lower(self.verb_start)
        if self.voice != "active" or self.auxiliary or self.verb_end - self.verb_start != 1:
            return ""
        if thing is None or thing.phrase is None or not is_verb_form(verb, "past"):
            return ""
        definite = thing.phrase.determiner == "the" or thing.phrase.name is not None
        if not definite or self.lemma in words("verb.unpassive"):
            return ""
        # "Half of the board rejected the plan" does not say that it was rejected.
        if self.subject.number is not None or self.sentence.is_in(
            self.subject.start, "function.partly"
        ):
            return ""
        be = "were" if thing.phrase.plural or thing.end != thing.phrase.end else "was"
        parts = [be, self.sentence.slice(thing.start, thing.end), participle(self.lemma)]
        kept = [c for c in (*self.chunks, *self.leading) if c not in (left_out, thing)]
        for chunk in kept:
            if times or chunk.kind != "time":
                parts.append(inside(self.reader, chunk.start, chunk.end))
        return " ".join(part for part in (*parts, stranded) if part)


def inside(reader: Reader, start: int, end: int) -> str:
    """Return a slice of a sentence with a small first letter where only its place made it big."""
    sentence = reader.sentence
    text = sentence.slice(start, end)
    opener = start == 0 or sentence[start - 1].is_mark
    named = start in reader.names or _keeps_capitals(text.split()[0])
    return text if named or not opener else text[0].lower() + text[1:]


def _keeps_capitals(word: str) -> bool:
    return word == "I" or (len(word) > 1 and word.isupper())
