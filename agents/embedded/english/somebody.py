"""Who did it, and what: questions for the subject and the object of a clause."""

from collections.abc import Iterator

from agents.embedded.english.clause import Clause
from agents.embedded.english.lexicon import past_form, third_person, words
from agents.embedded.english.names import NAME, ORGANISATION, PERSON, PLACE
from agents.embedded.english.noun_phrases import NounPhrase, Reader
from agents.embedded.english.said import Said
from agents.embedded.english.vague import is_vague

# Places that also act.
_ACTING = frozenset(("university", "institute", "academy", "college"))


class SubjectAndObject:
    """Asks for the subject and the object of the clauses of one sentence."""

    def __init__(self, reader: Reader) -> None:
        self.sentence = reader.sentence
        self.names = list(reader.names.values())

    def of(self, clause: Clause) -> Iterator[Said]:
        """Yield who and what a clause tells of."""
        sentence, subject = self.sentence, clause.subject
        told = clause.chunks or (clause.voice == "passive" and clause.stop in ("", "."))
        predicate = clause.predicate()
        if told and not subject.pronoun and not is_vague(predicate, own=True):
            who = self._is_somebody(subject, clause)
            answer = sentence.slice(subject.start, clause.subject_end)
            brief = clause.predicate(times=False) if _is_more_than_a_time(clause) else ""
            if who:
                yield "who", _predicates(predicate, brief), answer
            elif self._is_thing(subject, clause) and not is_vague(answer):
                yield "what", _predicates(predicate, brief), answer
        if clause.voice == "passive":
            yield from self._by_whom(clause)
        if clause.voice == "active" and not is_vague(clause.subject_text(), ours=True):
            yield from self._what_object(clause)

    def _is_somebody(self, subject: NounPhrase, clause: Clause) -> bool:
        """Return whether "who" asks for the subject: a named person or organisation."""
        name = subject.name
        if name is None or subject.head != name.end - 1 or subject.end != subject.core_end:
            return False
        if subject.determiner and name.kind != ORGANISATION:
            return False
        if clause.subject_end != subject.end:
            return name.kind == PERSON and any(
                n.kind == PERSON and n.end == clause.subject_end for n in self.names
            )
        if name.kind == ORGANISATION:
            acts = clause.voice == "active" and clause.lemma not in words("verb.light")
            return acts and name.type not in words("noun.facility") - _ACTING
        if name.kind == PERSON:
            return True
        several = name.end - name.start in (2, 3)
        personal = clause.lemma in words("verb.personal") or self._born(clause)
        return name.kind == NAME and not name.type and several and personal

    def _born(self, clause: Clause) -> bool:
        return clause.lemma == "bear" and clause.voice == "passive"

    def _is_thing(self, subject: NounPhrase, clause: Clause) -> bool:
        """Return whether "what" asks for the subject."""
        head = self.sentence.lower(subject.head)
        if clause.voice != "active" or clause.lemma in words("verb.light") | words("verb.mental"):
            return False
        if clause.object is None and clause.lemma not in words("verb.dwelling"):
            return False
        if clause.plural or subject.number is not None or clause.subject_end != subject.end:
            return False
        if subject.name is not None:
            return bool(subject.name.type) and subject.determiner in ("", "the")
        people = head in words("noun.person") | words("noun.agent") or head.endswith(
            ("ist", "man", "ian", "ee")
        )
        agent = head.endswith(("er", "or")) and head not in words("noun.thing_er")
        known = subject.determiner in ("the", "a", "an") and not people and not agent
        return known and head not in words("noun.vague")

    def _by_whom(self, clause: Clause) -> Iterator[Said]:
        """Yield who did it, from "was built by Anna Weber"."""
        sentence = self.sentence
        by = next((c for c in clause.chunks if sentence.lower(c.start) == "by" and c.phrase), None)
        auxiliary = sentence.lower(clause.verb_start)
        single = clause.verb_end - clause.verb_start == 2
        if by is None or by.phrase is None or by.phrase.name is None or not single:
            return
        name = by.phrase.name
        other = next((n for n in self.names if n.start == name.end + 1), None)
        joined = other is not None and other.kind == PERSON and other.end == by.end
        bare = by.start + 1 == name.start and (by.end == name.end or joined)
        people = name.kind in (PERSON, ORGANISATION) or (
            name.kind == NAME and not name.type and name.end - name.start in (2, 3)
        )
        if not people or not bare or is_vague(clause.subject_text()):
            return
        if auxiliary in ("was", "were"):
            verb = past_form(clause.lemma)
        elif auxiliary in ("is", "are"):
            verb = third_person(clause.lemma)
        else:
            return
        rest = [c for c in clause.chunks if c != by]
        predicate, brief = (
            " ".join(
                [verb, clause.subject_text(), *(sentence.slice(c.start, c.end) for c in chunks)]
            )
            for chunks in (rest, [c for c in rest if c.kind != "time"])
        )
        if not is_vague(predicate):
            yield "who", _predicates(predicate, brief), sentence.slice(name.start, by.end)

    def _what_object(self, clause: Clause) -> Iterator[Said]:
        sentence, thing = self.sentence, clause.object
        if (
            thing is None
            or thing.phrase is None
            or (clause.subject.pronoun and clause.lemma == "be")
        ):
            return
        phrase = thing.phrase
        head = sentence.lower(phrase.head)
        answer = sentence.slice(thing.start, thing.end)
        name = phrase.name
        person = head in words("noun.person") or (
            name is not None and (name.kind == PERSON or (name.kind == PLACE and not name.type))
        )
        bare = not phrase.determiner and phrase.name is None and not phrase.plural
        hard = clause.lemma in words("verb.light") | words("verb.reporting") | words("verb.copular")
        if (
            person
            or clause.lemma in words("verb.mental")
            or phrase.pronoun
            or phrase.number is not None
            or is_vague(answer)
            or head in words("noun.vague") | words("number.unit")
            or (hard and (bare or clause.lemma in words("verb.copular")))
            or clause.stop in ("that", "which", "who", "whose", "to")
            or thing.end - thing.start > 10
        ):
            return
        stranded = clause.inverted(thing, times=False)
        if not is_vague(stranded, ours=True):
            yield "what", {"clause": stranded}, answer


def _is_more_than_a_time(clause: Clause) -> bool:
    return any(chunk.kind != "time" for chunk in (*clause.chunks, *clause.leading))


def _predicates(predicate: str, brief: str) -> dict[str, str]:
    """Return the slots of who did it: whoever asks leaves out when, as often as not."""
    if not brief or brief == predicate or is_vague(brief, own=True):
        return {"predicate": predicate}
    return {"predicate": predicate, "brief": brief}
