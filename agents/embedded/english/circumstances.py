"""Where, when and how much: questions for what stands beside subject and object."""

from collections.abc import Iterator

from agents.embedded.english.clause import Clause
from agents.embedded.english.lexicon import words
from agents.embedded.english.noun_phrases import Reader
from agents.embedded.english.places import place_of
from agents.embedded.english.quantities import is_compared, measure
from agents.embedded.english.said import Said
from agents.embedded.english.vague import definite, is_vague


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
        if is_vague(clause.subject_text(), ours=True):
            return
        chunks = [*clause.chunks, *clause.leading]
        found = [(c, p) for c in chunks if (p := place_of(clause, c))]
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
        if clause.object and clause.lemma in words("verb.content"):
            return
        active = clause.inverted(chunk, stranded=place.stranded, times=False)
        passive = clause.passive(chunk, stranded=place.stranded, times=False)
        if slots := _clauses(active, passive):
            yield "where", slots, place.answer

    def _when(self, clause: Clause) -> Iterator[Said]:
        times = clause.times
        if len(times) != 1 or is_vague(clause.subject_text(), ours=True):
            return
        alone = not set(clause.chunks) - {times[0]}
        if clause.voice == "copula" and not clause.object and not alone:
            return
        if clause.object and clause.lemma in words("verb.content") and clause.voice == "active":
            return
        empty = words("verb.light") | words("verb.reporting")
        if clause.voice == "active" and alone and clause.lemma in empty:
            return
        if slots := _clauses(clause.inverted(times[0]), clause.passive(times[0])):
            yield "when", slots, self.sentence.slice(*times[0].answer)

    def _how_much(self, clause: Clause) -> Iterator[Said]:
        yield from self._how_long(clause)
        yield from self._how_often(clause)
        found = measure(self.sentence, self.reader, clause.verb_end, clause.lemma)
        if found is None or clause.subject.number is not None:
            return
        told = self.sentence.slice(found.start, found.unit_end)
        subject = definite(clause.subject_text())
        if is_vague(subject):
            return
        dimension = found.dimension
        if dimension in ("far", "far away") and self.sentence.lower(found.end) == "from":
            origin = self.reader.noun_phrase(found.end + 1)
            if origin is None or origin.pronoun:
                return
            dimension = "far"
            subject = f"{subject} from {self.sentence.slice(origin.start, origin.end)}"
        measured = next((c for c in clause.chunks if c.kind == "measure"), None)
        if clause.lemma in words("verb.spanning") and measured:
            asked = {"clause": definite(clause.inverted(measured))}
        elif not clause.plural:
            asked = {"thing": subject}
        elif clause.lemma == "be" and dimension != "far":
            asked = {"clause": f"{self.sentence.lower(clause.verb_start)} {subject}"}
        else:
            return
        yield "how_much", {"dimension": dimension, **asked}, told

    def _how_long(self, clause: Clause) -> Iterator[Said]:
        """Yield how long something was done: "kept the light for 31 years"."""
        sentence = self.sentence
        if clause.lemma not in words("verb.lasting") and clause.voice != "copula":
            return
        for chunk in clause.chunks:
            phrase = chunk.phrase
            if chunk.kind != "phrase" or phrase is None or phrase.number is None:
                continue
            if not sentence.is_in(phrase.head, "number.duration") or chunk.end != phrase.core_end:
                continue
            if is_compared(sentence, chunk.end):
                continue
            question = definite(clause.inverted(chunk))
            if sentence.lower(chunk.start) == "for" and not is_vague(question):
                told = sentence.slice(phrase.start, chunk.end)
                yield "how_much", {"dimension": "long", "clause": question}, told

    def _how_often(self, clause: Clause) -> Iterator[Said]:
        """Yield how often something is done: "rings every 20 seconds"."""
        for chunk in clause.chunks:
            question = definite(clause.inverted(chunk)) if chunk.kind == "rate" else ""
            if question and not is_vague(question):
                told = self.sentence.slice(chunk.start, chunk.end)
                yield "how_much", {"dimension": "often", "clause": question}, told


def _clauses(active: str, passive: str) -> dict[str, str]:
    """Return a question's clause, and the same without the one who did it, as slots."""
    clear = [text for text in (active, passive) if text and not is_vague(text, ours=True)]
    return dict(zip(("clause", "passive"), clear, strict=False))
