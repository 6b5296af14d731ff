"""What something is: "Titan is the largest moon of Saturn", "Anna Weber, the director, ..."."""

from collections.abc import Iterator

from agents.embedded.english.clause import Clause
from agents.embedded.english.lexicon import words
from agents.embedded.english.names import NAME, PERSON
from agents.embedded.english.noun_phrases import NounPhrase, Reader
from agents.embedded.english.said import Said
from agents.embedded.english.vague import is_vague

_ARTICLES = ("the", "a", "an")
_RELATIVE = ("that", "which", "who", "to")
_CUTS = (*_RELATIVE, "whose", "where", "because", "than")


class Definitions:
    """Asks what the subjects of one sentence's clauses are."""

    def __init__(self, reader: Reader) -> None:
        self.sentence = reader.sentence
        self.reader = reader

    def of(self, clause: Clause) -> Iterator[Said]:
        """Yield what a clause says that its subject is."""
        if clause.apposition:
            yield from self._apposition(clause, *clause.apposition)
        said = clause.object
        if said is None or said.phrase is None or not self._defines(clause, said.phrase):
            return
        sentence, subject = self.sentence, clause.subject
        end = max(chunk.end for chunk in clause.chunks)
        vague = is_vague(sentence.slice(said.start, end), own=True)
        cut = clause.stop in _CUTS
        if clause.stop in _RELATIVE and self._is_last(clause.end):
            # "... is a molecule that carries information."
            cut, end = False, len(sentence) - sentence[len(sentence) - 1].is_mark
            vague = vague or is_vague(sentence.slice(clause.end + 1, end), own=True)
        thing, answer = clause.subject_text(), sentence.slice(said.start, end)
        if vague or cut or is_vague(thing):
            return
        if subject.name and subject.name.kind == PERSON and subject.head == subject.name.end - 1:
            yield "who", {"predicate": clause.predicate()}, thing
        if self._is_person(said.phrase, subject):
            be = sentence.lower(clause.verb_start)
            yield "who", {"predicate": f"{be} {thing}"}, answer
        else:
            yield "is", {"thing": thing}, answer

    def _defines(self, clause: Clause, said: NounPhrase) -> bool:
        """Return whether a clause tells of one thing what it is."""
        sentence, subject = self.sentence, clause.subject
        vague = words("noun.vague")
        long = clause.end - said.start > 2 or clause.stop in _RELATIVE
        if clause.voice != "copula" or clause.plural or subject.pronoun or said.pronoun:
            return False
        return (
            sentence.lower(clause.verb_start) in ("is", "was")
            and (subject.name is not None or subject.determiner in (*_ARTICLES, ""))
            and (sentence.lower(said.start) in _ARTICLES or said.name is not None)
            and sentence.lower(subject.head) not in vague
            and sentence.lower(said.head) not in vague
            and subject.number is None
            and not any(chunk.kind == "time" for chunk in clause.chunks)
            and (long or subject.name is not None or said.name is not None)
        )

    def _is_person(self, said: NounPhrase, subject: NounPhrase) -> bool:
        """Return whether the subject is a role and what it is said to be a person's name."""
        name, role = said.name, self.sentence.lower(subject.head)
        if name is None or said.determiner or name.end != said.end or subject.name is not None:
            return False
        someone = role in words("noun.person") or role.endswith(("er", "or", "ist"))
        return name.kind == PERSON or (name.kind == NAME and not name.type and someone)

    def _is_last(self, place: int) -> bool:
        """Return whether from a token on the sentence runs to its end without another mark."""
        return not any(self.sentence[i].is_mark for i in range(place, len(self.sentence) - 1))

    def _apposition(self, clause: Clause, start: int, end: int) -> Iterator[Said]:
        """Yield what "Anna Weber, the director, ..." or "the director, Anna Weber, ..." says."""
        sentence, subject = self.sentence, clause.subject
        aside, name = sentence.slice(start, end), self.reader.names.get(start)
        if subject.name is not None and not subject.determiner:
            if sentence.is_in(start, "function.determiner") and not is_vague(aside, own=True):
                yield "is", {"thing": clause.subject_text()}, aside
        elif (
            name is not None
            and name.kind == PERSON
            and name.end == end
            and subject.determiner == "the"
        ):
            yield "is", {"thing": aside}, sentence.slice(subject.start, subject.end)
            if clause.chunks and not is_vague(clause.predicate(), own=True):
                yield "who", {"predicate": clause.predicate()}, aside
