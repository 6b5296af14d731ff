"""Phrases that say where: "in Greenbelt, Maryland", "near the old harbour"."""

from dataclasses import dataclass
from itertools import pairwise

from agents.embedded.english.clause import Chunk, Clause
from agents.embedded.english.lexicon import words
from agents.embedded.english.names import NAME, ORGANISATION, PLACE, Name
from agents.embedded.english.noun_phrases import NounPhrase
from agents.embedded.english.tokens import Sentence

_AT = frozenset(("in", "at"))
_AWAY = frozenset(("to", "from", "into", "onto", "towards", "toward"))


@dataclass(frozen=True)
class Place:
    """The words that answer "where", and the preposition that the question keeps."""

    answer: str
    stranded: str = ""


def place_of(clause: Clause, chunk: Chunk) -> Place | None:
    """Return the place that a phrase of a clause tells, or None."""
    sentence, phrase, lemma = clause.sentence, chunk.phrase, clause.lemma
    if chunk.kind != "phrase" or phrase is None or phrase.pronoun or phrase.number is not None:
        return None
    preposition = sentence.lower(chunk.start)
    if chunk.start + 1 != phrase.start:
        return None
    told = sentence.slice(phrase.start, chunk.end)
    if phrase.name is not None and phrase.head == phrase.name.end - 1:
        certain = _names_place(sentence, phrase.name, preposition, chunk, phrase.name.end)
        likely = (
            lemma in words("verb.dwelling")
            and phrase.name.kind == NAME
            and not (phrase.name.type or phrase.determiner)
        )
        if not certain and not (likely and preposition in ("in", "near", "at", "outside")):
            return None
    elif sentence.lower(phrase.head) not in words("noun.place") or phrase.determiner not in (
        "the", "a", "an", "'s",
    ):  # fmt: skip
        return None
    if not _is_position(clause, phrase, preposition):
        return None
    if preposition in _AT:
        bare = phrase.name is not None and phrase.head == phrase.name.end - 1
        return Place(told if bare else sentence.slice(chunk.start, chunk.end))
    if preposition in words("function.beside"):
        return Place(sentence.slice(chunk.start, chunk.end))
    if preposition in _AWAY and lemma in words("verb.move"):
        return Place(told, preposition if preposition in ("to", "from", "into") else "")
    return None


def _is_position(clause: Clause, phrase: NounPhrase, preposition: str) -> bool:
    """Return whether a place's name tells where, and not what a deed or a text is aimed at."""
    if preposition == "at":
        return clause.lemma not in words("verb.aiming")
    if preposition == "on":
        return not _has_matter(clause) and (
            clause.lemma in words("verb.position") or _is_surface(clause.sentence, phrase)
        )
    if preposition in ("over", "between") and phrase.name is not None:
        return clause.lemma in words("verb.position") | words("verb.move") | words("verb.crossing")
    return True


def _has_matter(clause: Clause) -> bool:
    """Return whether "on" goes with the verb, or with what is given, held or written."""
    thing = clause.object.phrase if clause.voice == "active" and clause.object else None
    if thing is None and clause.voice != "active":
        thing = clause.subject
    bare = clause.lemma in ("write", "publish", "read") and clause.object is None
    head = clause.sentence.lower(thing.head) if thing else ""
    return bare or clause.lemma in words("verb.matter") or head in words("noun.with_matter")


def _is_surface(sentence: Sentence, phrase: NounPhrase) -> bool:
    """Return whether one is on a place and not in it: an island, a planet, a street."""
    if phrase.name is None or phrase.head != phrase.name.end - 1:
        return sentence.is_in(phrase.head, "noun.surface")
    name = phrase.name
    known = words("name.celestial") | words("name.island")
    return (
        sentence.slice(name.start, name.end) in known
        or sentence.is_in(name.end - 1, "noun.surface")
        or sentence.is_in(name.start, "noun.surface")
    )


def _names_place(sentence: Sentence, name: Name, preposition: str, chunk: Chunk, end: int) -> bool:
    if name.kind == PLACE or sentence.slice(name.start, name.end) in words("name.celestial"):
        return True
    if name.kind == ORGANISATION:
        return (
            bool(name.type)
            and name.end - name.start > 1
            and preposition in ("at", "in", "near", "to")
        )
    return chunk.end > end and sentence[end].text in (",", "in")


def places_of_names(sentence: Sentence, names: list[Name]) -> list[tuple[str, str]]:
    """Return (thing, place) for each "Goddard Space Flight Center in Greenbelt, Maryland"."""
    found = []
    for name, other in pairwise(names):
        head = sentence.lower(name.end - 1)
        of = "of" in (sentence.lower(i) for i in range(name.start, name.end))
        facility = head in words("noun.facility") or (of and bool(name.type))
        between = sentence.lower(name.end)
        if not facility or name.end - name.start < 2 or other.start != name.end + 1:
            continue
        if between not in ("in", "near"):
            continue
        end = other.end
        known = other.kind == PLACE
        region = next((n for n in names if n.start == end + 1), None)
        if (
            region
            and sentence[end].text == ","
            and region.kind == PLACE
            and not _listed(sentence, region.end)
        ):
            end, known = region.end, True
        if not known and (other.kind != NAME or other.type or other.end - other.start > 2):
            continue
        first = name.end if between == "near" else other.start
        thing = sentence.slice(name.start, name.end)
        if sentence.lower(name.start - 1) == "the":
            thing = f"the {thing}"
        found.append((thing, sentence.slice(first, end)))
    return found


def _listed(sentence: Sentence, place: int) -> bool:
    """Return whether a list goes on: "in Bergen, Oslo and Tampere"."""
    return sentence.lower(place) in ("and", "or")
