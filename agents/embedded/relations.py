"""What a sentence says, as questions' slots and answers: who, what, where, when, how many."""

from collections.abc import Iterator

from agents.embedded.english.circumstances import Circumstances
from agents.embedded.english.clauses import ClauseReader
from agents.embedded.english.clozes import clozes
from agents.embedded.english.definitions import Definitions
from agents.embedded.english.names import NAME, ORGANISATION, PERSON, PLACE, find_names, typed_names
from agents.embedded.english.noun_phrases import Reader
from agents.embedded.english.places import places_of_names
from agents.embedded.english.quantities import Count, counts, number_end
from agents.embedded.english.said import Said
from agents.embedded.english.somebody import SubjectAndObject
from agents.embedded.english.tokens import Sentence
from agents.embedded.english.vague import is_vague
from training.facts import Relation

_MOST_WORDS = 14


def relations(text: str) -> list[Relation]:
    """Return what a sentence says; every answer stands in it word for word.

    Text of which little is understood (headings, other languages, noise) gives clozes or nothing.
    """
    text = " ".join(text.split())
    sentence = Sentence(text)
    found: dict[tuple, Relation] = {}
    if sentence.is_english and not sentence.is_heading and not text.endswith("?"):
        for kind, slots, answer in _Extraction(sentence).all():
            if (
                answer
                and answer in text
                and all(len(s.split()) <= _MOST_WORDS for s in slots.values())
            ):
                relation = Relation(kind=kind, slots=slots, answer=answer, sentence=text)
                found.setdefault((kind, *slots.items()), relation)
    for blanked, answer in clozes(sentence):
        relation = Relation(kind="cloze", slots={"blanked": blanked}, answer=answer, sentence=text)
        found[("cloze", blanked)] = relation
    return list(found.values())


class _Extraction:
    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        self.names = find_names(sentence)
        self.reader = Reader(sentence, self.names)
        self.counts = counts(sentence, self.reader)
        self.clauses = list(ClauseReader(sentence, self.reader).clauses())

    def all(self) -> Iterator[Said]:
        """Yield everything that was understood."""
        askers = [part(self.reader) for part in (SubjectAndObject, Circumstances, Definitions)]
        for clause in self.clauses:
            for asker in askers:
                yield from asker.of(clause)
        for thing, place in places_of_names(self.sentence, self.names):
            yield "where", {"thing": thing}, place
        yield from self._which()
        yield from self._how_many()
        yield from self._mentions()

    def _which(self) -> Iterator[Said]:
        found: dict[str, set[str]] = {}
        for kind, name in typed_names(self.sentence, self.names):
            found.setdefault(kind, set()).add(name)
        for kind, named in found.items():
            if len(named) == 1:
                yield "which", {"type": kind}, named.pop()

    def _how_many(self) -> Iterator[Said]:
        nouns = [self.sentence.slice(c.noun, c.end) for c in self.counts]
        for count, noun in zip(self.counts, nouns, strict=True):
            if nouns.count(noun) > 1 or is_vague(noun):
                continue
            slots = {"noun": noun, "rest": self._rest(count)}
            yield "how_many", slots, self.sentence.slice(count.number, count.noun)

    def _rest(self, count: Count) -> str:
        """Return what follows "how many segments" in a question, or nothing."""
        sentence = self.sentence
        for clause in self.clauses:
            if clause.subject.number == count.number and clause.subject_end == count.end:
                rest = clause.predicate()
                return "" if is_vague(rest) or not clause.chunks else rest
            for chunk in clause.chunks:
                if chunk.phrase is None or chunk.phrase.number != count.number:
                    continue
                if chunk.end != count.end:
                    return ""
                if clause.subject.pronoun and sentence.lower(clause.subject.start) == "there":
                    others = [c for c in clause.chunks if c != chunk]
                    told = " ".join(sentence.slice(c.start, c.end) for c in others)
                    be = sentence.lower(clause.verb_start)
                    return f"{be} there {told}".strip() if be in ("are", "were") else ""
                if clause.voice == "copula" or is_vague(clause.subject_text(), ours=True):
                    return ""
                stranded = ""
                if chunk.kind == "phrase":
                    stranded = sentence.slice(chunk.start, chunk.phrase.start)
                    if clause.voice == "active" and clause.lemma != "consist":
                        return ""
                    if clause.voice == "passive" and stranded not in ("of", "from", "up of"):
                        return ""
                rest = clause.inverted(chunk, stranded=stranded)
                return "" if is_vague(rest, ours=True) else rest
        return ""

    def _mentions(self) -> Iterator[Said]:
        sentence = self.sentence
        unknown = [n for n in self.names if n.kind == NAME and not n.type]
        for kind in (PERSON, PLACE, ORGANISATION):
            named = self._named(kind)
            if len(named) == 1 and not unknown:
                yield "mention", {"type": kind}, named.pop()
        if len(self.names) == 1 and unknown and unknown[0].sure:
            yield "mention", {"type": NAME}, sentence.slice(unknown[0].start, unknown[0].end)
        starts = [i for i in range(len(sentence)) if self.reader.is_number(i)]
        starts = [i for i in starts if not self.reader.is_number(i - 1)]
        if len(starts) == 1 and not self._inside_name(starts[0]):
            number = sentence.slice(starts[0], number_end(self.reader, starts[0]))
            if number.lower() not in ("two", "million", "hundred", "thousand", "dozen", "billion"):
                yield "mention", {"type": "number"}, number

    def _named(self, kind: str) -> set[str]:
        """Return the names of a kind; a city with its region is one place."""
        sentence, found, end = self.sentence, set(), 0
        names = [name for name in self.names if name.kind == kind]
        for place, name in enumerate(names):
            if name.start < end:
                continue
            end = name.end
            following = names[place + 1].start if place + 1 < len(names) else 0
            if kind == PLACE and following == end + 1 and sentence[end].text == ",":
                end = names[place + 1].end
            found.add(sentence.slice(name.start, end))
        return found

    def _inside_name(self, place: int) -> bool:
        return any(name.start <= place < name.end for name in self.names)
