"""Where, when and how much: questions for what stands beside subject and object."""

from collections.abc import Iterator

from agents.embedded.english.clause import Clause
from agents.embedded.english.lexicon import words
from agents.embedded.english.noun_phrases import Reader
from agents.embedded.english.places import place_of
from agents.embedded.english.quantities import measure
from agents.embedded.english.said import Said
from agents.embedded.english.vague import is_vague


class Circumstances:
    """Asks for the circumstances that the clauses of one sentence tell."""

    def __init__(self, reader: Reader) -> None:
        self.sentence = reader.sentence
        self.reader = reader

    def of(self, clause: Clause) -> Iterator[Said]:
        """Yield where, when and how much a clause tells."""
        yield from self._where(clause)
        yield from self._when(clause)
        yield from self._how_much(clause)

    def _where(self, clause: Clause) -> Iterator[Said]:
        sentence = self.sentence
        if is_vague(clause.subject_text(), ours=True):
            return
        chunks = [*clause.chunks, *clause.leading]
        found = [(c, p) for c in chunks if (p := place_of(sentence, self.reader, c, clause.lemma))]
        if len(found) != 1:
            return
        chunk, place = found[0]
        if clause.lemma in ("stand", "lie", "sit") and len(chunks) > 1 and not clause.times:
            return
        located = (
            clause.lemma in ("stand", "lie", "locate", "situate", "sit") or clause.voice == "copula"
        )
        alone = all(c == chunk or c.kind == "adverb" for c in chunks)
        if located and alone:
            if not clause.plural and chunk in clause.chunks and not clause.object:
                yield "where", {"thing": clause.subject_text()}, place.answer
            return
        if clause.voice == "copula" or clause.lemma in words("verb.mental"):
            return
        question = clause.inverted(chunk, stranded=place.stranded, times=False)
        if not is_vague(question, ours=True):
            yield "where", {"clause": question}, place.answer

    def _when(self, clause: Clause) -> Iterator[Said]:
        times = clause.times
        if len(times) != 1 or is_vague(clause.subject_text(), ours=True):
            return
        alone = not set(clause.chunks) - {times[0]}
        if clause.voice == "copula" and not clause.object and not alone:
            return
        empty = words("verb.light") | words("verb.reporting")
        if clause.voice == "active" and alone and clause.lemma in empty:
            return
        question = clause.inverted(times[0])
        if not is_vague(question, ours=True):
            yield "when", {"clause": question}, self.sentence.slice(*times[0].answer)

    def _how_much(self, clause: Clause) -> Iterator[Said]:
        found = measure(self.sentence, self.reader, clause.verb_end, clause.lemma)
        if found is None or is_vague(clause.subject_text()) or clause.subject.number is not None:
            return
        if clause.plural:
            return
        thing = clause.subject_text()
        dimension = found.dimension
        if dimension in ("far", "far away") and self.sentence.lower(found.end) == "from":
            origin = self.reader.noun_phrase(found.end + 1)
            if origin is None or origin.pronoun:
                return
            dimension = "far"
            thing = f"{thing} from {self.sentence.slice(origin.start, origin.end)}"
        yield (
            "how_much",
            {"dimension": dimension, "thing": thing},
            self.sentence.slice(found.start, found.unit_end),
        )
