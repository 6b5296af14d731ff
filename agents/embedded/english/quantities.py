"""Counted nouns ("18 mirror segments") and measures ("29 metres tall") in a sentence."""

from dataclasses import dataclass

from agents.embedded.english.lexicon import is_plural, is_verb_form, words
from agents.embedded.english.noun_phrases import Reader
from agents.embedded.english.tokens import Sentence

DIMENSIONS = {
    "tall": "tall", "high": "high", "long": "long", "wide": "wide", "deep": "deep",
    "thick": "thick", "old": "old", "heavy": "heavy", "away": "far away",
    "across": "wide", "broad": "broad",
}  # fmt: skip
_SPANS = {"diameter": "wide", "length": "long", "height": "high", "width": "wide", "depth": "deep"}


@dataclass(frozen=True)
class Count:
    """A numeral at [number, noun), and the noun that it counts at [noun, end)."""

    number: int
    noun: int
    end: int


def counts(sentence: Sentence, reader: Reader) -> list[Count]:
    """Return the numerals that count things, with their nouns."""
    found = []
    place = 0
    while place < len(sentence):
        if not reader.is_number(place):
            place += 1
            continue
        noun = number_end(reader, place)
        phrase = reader.noun_phrase(place, subject=True)
        if phrase and _counts(sentence, reader, place, noun, phrase.core_end):
            end = phrase.core_end
            if sentence.lower(end) == "of" and phrase.end - end <= 3:
                end = phrase.end
            found.append(Count(place, noun, end))
        place = noun
    return found


def _counts(sentence: Sentence, reader: Reader, place: int, noun: int, end: int) -> bool:
    if noun >= end:
        return False
    number, head = sentence[place].text, sentence.lower(end - 1)
    if not is_plural(head) or end - noun > 4:
        return False
    if sentence.is_in(noun, "number.unit") or sentence.is_in(
        end - 1, "number.unit", "number.weak_noun"
    ):
        return False
    if any(i in reader.names for i in range(noun, end)):
        return False
    if any(
        is_verb_form(sentence.lower(i), "third") and not is_plural(sentence.lower(i))
        for i in range(noun, end)
    ):
        return False
    if number[-1] in "%" or number[0] in "$€£" or ":" in number or _is_year(number):
        return False
    before = sentence.lower(place - 1)
    if sentence.is_in(place - 1, "number.ordinal") or before in (
        "-", "/", ".", "chapter", "part", "number", "figure", "page", "slide", "version", "other",
        "these", "those", "every", "of", "one", "both", "another", "my", "your",
    ):  # fmt: skip
        return before == "of" and sentence.lower(place - 2) not in ("one", "some", "each")
    if (before == "in" and reader.is_number(place - 2)) or sentence.lower(place - 2) == "one":
        return False
    return place == 0 or not sentence[place - 1].is_capital or place == 1


def _is_year(number: str) -> bool:
    return len(number) == 4 and number.isdigit() and 1500 <= int(number) <= 2100


def number_end(reader: Reader, place: int) -> int:
    """Return the end of a numeral of one or more words: "two hundred and fifty"."""
    sentence, end = reader.sentence, place + 1
    while reader.is_number(end) or (
        sentence.lower(end) == "and"
        and sentence.is_in(end - 1, "number.scale")
        and reader.is_number(end + 1)
    ):
        end += 1
    return end


@dataclass(frozen=True)
class Measure:
    """A measure with its unit at [start, unit_end), and the dimension that it is of."""

    start: int
    unit_end: int
    end: int
    dimension: str


def measure(sentence: Sentence, reader: Reader, place: int, lemma: str) -> Measure | None:
    """Return the measure that begins at a token after "is", "weighs", "lasts" or "costs"."""
    while sentence.is_in(place, "function.approximately", "function.adverb") or (
        sentence.lower(place) in ("more", "less", "than", "up", "to", "at", "least")
    ):
        place += 1
    if not reader.is_number(place):
        return None
    unit = number_end(reader, place)
    money = sentence[place].text[0] in "$€£"
    if not money and not sentence.is_in(unit, "number.unit"):
        return None
    end = unit if money else unit + 1
    if sentence.lower(end) == "per" or (
        sentence.lower(end) == "an" and sentence.lower(end + 1) == "hour"
    ):
        end += 2
    after = sentence.lower(end)
    name = sentence.lower(unit) if not money else ""
    if lemma == "weigh":
        return Measure(place, end, end, "heavy") if name in words("number.weight") else None
    if lemma == "last":
        return Measure(place, end, end, "long") if name in words("number.duration") else None
    if lemma == "cost":
        paid = money or name in words("number.money")
        return Measure(place, end, end, "expensive") if paid else None
    if lemma in words("verb.spanning"):
        rate = end > unit + 1 or after in ("a", "an", "per", "in", "off")
        far = name in words("number.length") and not rate
        return Measure(place, end, end, "far") if far else None
    if lemma != "be":
        return None
    if after in DIMENSIONS:
        return Measure(place, end, end + 1, DIMENSIONS[after])
    if after == "in" and sentence.lower(end + 1) in _SPANS:
        return Measure(place, end, end + 2, _SPANS[sentence.lower(end + 1)])
    if after == "from" and name in words("number.length"):
        return Measure(place, end, end, "far")
    return None
