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
# "costs 300 dollars above the usual price".
_BESIDE = frozenset(("above", "below", "over", "under", "off"))
# "all but 3 schools", "nothing but two walls".
_ALL = frozenset(("all", "none", "nothing", "nobody", "everything", "everyone", "everybody", "any"))
_NO_PART = frozenset(("none", "neither", "nobody", "nothing", "any", "few"))
_LOOSE = frozenset((
    "close to", "many as", "few as", "upwards of", "excess of", "maximum of", "minimum of",
))  # fmt: skip
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
        start = _start(sentence, reader, place)
        if (
            phrase
            and start is not None
            and _counts(sentence, reader, place, noun, phrase.core_end)
            and not is_compared(sentence, phrase.core_end)
        ):
            end = phrase.core_end
            if sentence.lower(end) == "of" and phrase.end - end <= 3:
                end = phrase.end
            found.append(Count(start, noun, end))
        place = noun
    return found


def _start(sentence: Sentence, reader: Reader, place: int) -> int | None:
    """Return where a numeral begins with what bounds it, so that the answer keeps the bound.

    None where the bound may as well tell where: "flew over 12 villages".
    """
    start = reader.bound_start(place)
    if start == place or reader.hedges(start):
        return start
    return None if sentence.lower(start) in ("over", "under", "up") else place


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
    start = reader.bound_start(place)
    if _is_exception(sentence, start) or _is_inexact(sentence, reader, place, noun):
        return False
    if _is_label(sentence, reader, place, noun):
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


def _is_exception(sentence: Sentence, place: int) -> bool:
    """Return whether what is counted is left out or hardly there: "all but 3", "none of the 12"."""
    before, second = sentence.lower(place - 1), sentence.lower(place - 2)
    if sentence.is_in(place - 1, "function.negation", "function.few"):
        return True
    if before in ("except", "excluding") or (before, second) == ("for", "except"):
        return True
    if before == "but":
        return second in _ALL
    of = place - 1 if before == "of" else place - 2
    return sentence.lower(of) == "of" and sentence.lower(of - 1) in _NO_PART


def _is_inexact(sentence: Sentence, reader: Reader, place: int, noun: int) -> bool:
    """Return whether a numeral is an end of a range or a bound: "two or three", "close to 200"."""
    before, second = sentence.lower(place - 1), sentence.lower(place - 2)
    if before in ("to", "or") and reader.is_number(place - 2):
        return True
    last = place
    while last > 0 and (reader.is_number(last) or sentence.lower(last) == "and"):
        last -= 1
    if sentence.lower(last) == "between":
        return any(sentence.lower(i) == "and" for i in range(last, noun))
    return f"{second} {before}" in _LOOSE


def _is_label(sentence: Sentence, reader: Reader, place: int, noun: int) -> bool:
    """Return whether a numeral tells which one: "Line three calls", "Bus nine stops"."""
    before = place - 1
    if before < 0 or any(n.start < place <= n.end for n in reader.names.values()):
        return before >= 0
    if sentence.is_in(before, "number.label"):
        return not _is_determined(sentence, before)
    return (
        _is_bare_noun(sentence, before)
        and is_verb_form(sentence.lower(noun), "third")
        and not reader.is_finite(noun + 1)
        and not is_verb_form(sentence.lower(noun + 1), "past", "base", "third", "participle")
    )


def _is_determined(sentence: Sentence, place: int) -> bool:
    """Return whether a noun is one of several that are counted apart: "in this building"."""
    return sentence.lower(place - 1) == "'s" or sentence.is_in(
        place - 1, "function.determiner", "number.ordinal", "adjective.common",
        "adjective.superlative_like",
    )  # fmt: skip


def _is_bare_noun(sentence: Sentence, place: int) -> bool:
    """Return whether a token is a singular noun alone: "Last year two ships" begins with none."""
    word = sentence.lower(place)
    if not sentence[place].is_word or is_plural(word) or word.endswith("ly"):
        return False
    if is_verb_form(word, "base", "third", "past", "participle", "gerund"):
        return False
    if sentence.is_in(
        place, "function.preposition", "function.conjunction", "function.subordinator",
        "function.pronoun", "function.adverb", "function.determiner", "function.auxiliary",
        "function.opener", "function.approximately", "function.negation", "number.ordinal",
        "adjective.common", "time.season", "time.day_part", "time.moment",
    ):  # fmt: skip
        return False
    return place == 0 or sentence[place - 1].is_mark or sentence.is_in(
        place - 1, "function.preposition", "function.conjunction", "function.subordinator",
    )  # fmt: skip


def number_end(reader: Reader, place: int) -> int:
    """Return the end of a numeral of one or more words: "two hundred and fifty"."""
    return reader.number_end(place)


def is_compared(sentence: Sentence, end: int) -> bool:
    """Return whether a quantity is a difference or a bound: "300 dollars less", "or more"."""
    word, after = sentence.lower(end), sentence.lower(end + 1)
    if word == "or":
        return after in ("more", "less", "fewer", "so")
    if word == "at":
        return after in ("least", "most")
    return word in ("less", "more", "fewer") or (after == "than" and word.endswith("er"))


@dataclass(frozen=True)
class Measure:
    """A measure with its unit at [start, unit_end), and the dimension that it is of."""

    start: int
    unit_end: int
    end: int
    dimension: str


def measure(sentence: Sentence, reader: Reader, place: int, lemma: str) -> Measure | None:
    """Return the measure that begins at a token after "is", "weighs", "lasts" or "costs"."""
    while not reader.is_bounded(place) and (
        sentence.is_in(place, "function.adverb", "function.exactly")
    ):
        place += 1
    start = place
    if reader.is_bounded(place):
        place = reader.hedge_end(place)
    if not reader.is_number(place) or sentence.lower(start - 1) == "twice":
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
    if after in _BESIDE or is_compared(sentence, end + (after in DIMENSIONS)):
        return None
    name = sentence.lower(unit) if not money else ""
    if lemma == "weigh":
        return Measure(start, end, end, "heavy") if name in words("number.weight") else None
    if lemma == "last":
        return Measure(start, end, end, "long") if name in words("number.duration") else None
    if lemma == "cost":
        paid = money or name in words("number.money")
        return Measure(start, end, end, "expensive") if paid else None
    if lemma in words("verb.spanning"):
        rate = end > unit + 1 or after in ("a", "an", "per", "in", "off")
        far = name in words("number.length") and not rate
        return Measure(start, end, end, "far") if far else None
    if lemma != "be":
        return None
    if after in DIMENSIONS:
        return Measure(start, end, end + 1, DIMENSIONS[after])
    if after == "in" and sentence.lower(end + 1) in _SPANS:
        return Measure(start, end, end + 2, _SPANS[sentence.lower(end + 1)])
    if after == "from" and name in words("number.length"):
        return Measure(start, end, end, "far")
    return None
