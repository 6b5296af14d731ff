"""Names in a sentence: where they stand, and what kind of thing they name."""

from dataclasses import dataclass

from agents.embedded.english.lexicon import is_plural, is_verb_form, lines, words
from agents.embedded.english.tokens import Sentence

PERSON, PLACE, ORGANISATION, NAME = "person", "place", "organisation", "name"
# After these a capital tells nothing.
_OPENING = '.!?:;"-\u201c\u2013\u2014'


@dataclass(frozen=True)
class Name:
    """A name of the tokens [start, end).

    ``type`` is what its head says that it is ("telescope"), or empty. ``sure`` is False for one
    word at the start of a sentence, whose capital tells nothing.
    """

    start: int
    end: int
    kind: str
    type: str = ""
    sure: bool = True


def find_names(sentence: Sentence) -> list[Name]:
    """Return the names of a sentence in order; none where capitals tell nothing."""
    if sentence.is_heading:
        return []
    found: list[Name] = []
    place = 0
    while place < len(sentence):
        end = _run(sentence, place)
        if end == place:
            place += 1
            continue
        start = _first(sentence, place, end)
        if start < end:
            found.append(_name(sentence, start, end))
        place = end
    return found


def typed_names(sentence: Sentence, names: list[Name]) -> list[tuple[str, str]]:
    """Return (type, full name) pairs; "the Webb space telescope" has a head in small letters."""
    found = []
    for name in names:
        text = sentence.slice(name.start, name.end)
        if name.type and name.end - name.start > 1:
            if not is_plural(name.type):
                found.append((name.type, text))
            continue
        end = name.end
        while sentence.is_in(end, "noun.head_modifier"):
            end += 1
        head = sentence.lower(end)
        lower = end < len(sentence) and not sentence[end].is_capital
        if (
            lower
            and sentence.lower(name.start - 1) in ("the", "'s")
            and head in words("noun.head")
            and not is_plural(head)
            and not sentence.lower(end + 1).startswith(("'", "-"))
            and not _noun_follows(sentence, end + 1)
            and name.kind in (NAME, PERSON)
        ):
            found.append((head, sentence.slice(name.start, end + 1)))
    return found


def _noun_follows(sentence: Sentence, place: int) -> bool:
    """Return whether the head goes on: "the Webb telescope mirror" is no telescope."""
    if place >= len(sentence) or not sentence[place].is_word:
        return False
    word = sentence.lower(place)
    return not (
        sentence.is_in(
            place, "function.preposition", "function.conjunction", "function.subordinator",
            "function.be", "verb.modal", "function.adverb", "function.determiner",
        )
        or word in ("is", "are", "was", "were", "has", "had", "have", "did", "does")
        or is_verb_form(word, "past", "third", "participle", "gerund")
    )  # fmt: skip


def _run(sentence: Sentence, start: int) -> int:
    """Return the end of the run of capitalised words that begins at a place, or the place."""
    if not _can_be_name(sentence, start):
        return start
    end = start + 1
    while end < len(sentence):
        if _can_be_name(sentence, end):
            end += 1
        elif _joins(sentence, start, end):
            end += 2 if _can_be_name(sentence, end + 1) else 3
        else:
            break
    token = sentence[end] if end < len(sentence) else None
    short = token is not None and len(token.text) < 4 and token.text.isdigit()
    if short and not _is_score(sentence, end):
        after = sentence[end + 1] if end + 1 < len(sentence) else None
        verb = after is not None and is_verb_form(after.lower, "past", "third", "participle")
        if after is None or after.is_mark or verb or not _is_open(sentence, end + 1):
            end += 1
    return end


def _is_score(sentence: Sentence, place: int) -> bool:
    """Return whether "3 to 1" begins at a token: "Liverpool 3" is no name there."""
    other = place + 2
    between = sentence.lower(place + 1) in ("to", "-", "\u2013", ":")
    return between and other < len(sentence) and sentence[other].is_number


def _joins(sentence: Sentence, start: int, place: int) -> bool:
    word, before = sentence.lower(place), sentence[place - 1].text
    heads = words("noun.head") | words("noun.organisation_head") | words("name.before_of")
    if word in ("of", "for") and before.lower() in heads:
        after = place + 2 if sentence.lower(place + 1) == "the" else place + 1
        return _can_be_name(sentence, after) and (word == "of" or place - start > 1)
    if word == "the" or word not in words("name.particle") | {"&"}:
        return False
    return _can_be_name(sentence, place + 1)


def _can_be_name(sentence: Sentence, place: int) -> bool:
    if place >= len(sentence):
        return False
    token = sentence[place]
    if not token.is_capital or token.lower in ("i", "i'm"):
        return False
    return token.text not in words("name.no_name") | words("time.month") | words("time.weekday")


def _is_open(sentence: Sentence, place: int) -> bool:
    """Return whether a token is a word of no closed class."""
    return sentence[place].is_word and not sentence.is_in(
        place, "function.determiner", "function.pronoun", "function.preposition",
        "function.conjunction", "function.subordinator", "function.adverb", "function.be",
        "verb.modal",
    )  # fmt: skip


def _first(sentence: Sentence, start: int, end: int) -> int:
    """Return where the name begins, past words that are capital for another reason."""
    while start < end:
        token = sentence[start]
        opens = start == 0 or sentence[start - 1].text in _OPENING
        following = sentence[start + 1].text if start + 1 < end else ""
        named = token.text in words("name.first") | words("name.place") | words("name.organisation")
        demonym = token.text in words("adjective.demonym") or token.lower.endswith(
            ("ians", "icans")
        )
        if demonym and (not following or following in words("name.first") | words("name.title")):
            start += 1
        elif (
            not opens
            or named
            or _acronym(token.text)
            or f"{token.text} {following}" in lines("name.places")
        ):
            break
        elif _is_common(sentence, start, alone=not following):
            start += 1
        else:
            break
    return start


def _acronym(text: str) -> bool:
    return len(text) > 2 and text.isupper() and text.isalpha()


def _is_common(sentence: Sentence, place: int, *, alone: bool) -> bool:
    """Return whether a word that opens a sentence is no name."""
    word = sentence.lower(place)
    if not _is_open(sentence, place) or sentence.is_in(
        place, "function.opener", "function.adverb", "number.word"
    ):
        return True
    if alone and sentence.is_in(place, "noun.mass", "number.ordinal"):
        return True
    title = sentence[place].text in words("name.title")
    if word in words("noun.person") and not title:
        return True
    if title and alone:
        return True
    if not alone:
        return is_verb_form(word, "gerund") or word.endswith("ly")
    return (
        is_plural(word)
        or is_verb_form(word, "base", "gerund", "past", "participle", "third")
        or word.endswith(("ly", "tion", "ment", "ness", "ity", "ism", "ing"))
        or sentence.is_in(
            place, "adjective.common", "noun.place", "noun.head", "noun.thing_er",
            "noun.vague", "number.scale",
        )
    )  # fmt: skip


def _name(sentence: Sentence, start: int, end: int) -> Name:
    opens = start == 0 or sentence[start - 1].text in _OPENING
    kind, head = _kind(sentence, start, end)
    single = end - start == 1 and kind == NAME and not _acronym(sentence[start].text)
    return Name(start, end, kind, head, sure=not (opens and single))


def _kind(sentence: Sentence, start: int, end: int) -> tuple[str, str]:
    texts = [sentence[i].text for i in range(start, end)]
    first, last = texts[0], texts[-1].lower()
    whole = sentence.slice(start, end)
    before = dict(line.split() for line in lines("noun.before"))
    if whole in lines("name.places"):
        return (ORGANISATION if "Nations" in texts or "Union" in texts else PLACE), ""
    if len(texts) > 1 and first in before and not (first == "Port" or first == "Bay"):
        kind = (
            PLACE
            if first not in ("University", "Museum", "Hurricane", "Typhoon", "Comet")
            else (ORGANISATION if first in ("University", "Museum") else NAME)
        )
        return kind, before[first]
    if (
        len(texts) > 2
        and "of" in texts
        and texts[texts.index("of") - 1].lower() in words("noun.head")
    ):
        last = texts[texts.index("of") - 1].lower()
    if len(texts) == 1:
        if first in words("name.organisation"):
            return ORGANISATION, ""
        if first in words("name.place"):
            return (NAME if first in words("name.celestial") else PLACE), ""
        return (PERSON if first in words("name.first") else NAME), ""
    if last in words("noun.head") | words("noun.organisation_head") | words("noun.place_head"):
        head = last if last in words("noun.head") else ""
        if last in words("noun.organisation_head"):
            return ORGANISATION, head
        return (PLACE if last in words("noun.place_head") else NAME), head
    if first in words("name.title") or first in words("name.first"):
        return PERSON, ""
    if len(texts) == 3 and len(texts[1]) == 2 and texts[1].endswith("."):
        return PERSON, ""
    return NAME, ""
