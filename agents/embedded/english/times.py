"""Phrases that say when: "in 1931", "on 4 May 2012", "at noon", "two years ago"."""

import re

from agents.embedded.english.lexicon import is_verb_form, words
from agents.embedded.english.tokens import Sentence

_YEAR = re.compile(r"1\d{3}|20\d{2}|2100")
_DAY = re.compile(r"(?:[12]?\d|3[01])(?:st|nd|rd|th)?")
_DECADE = re.compile(r"(?:1\d{2}|20\d)0s")
_CENTURY = re.compile(r"\d{1,2}(?:st|nd|rd|th)")
_CLOCK = re.compile(r"(?:[01]?\d|2[0-4]):[0-5]\d")
_HALVES = frozenset(("a.m.", "p.m.", "am", "pm", "AM", "PM"))


def time_phrase(sentence: Sentence, place: int) -> tuple[int, int, int] | None:
    """Return (end of the phrase, first and end token of its answer) of a time phrase at a place."""
    word = sentence.lower(place)
    start, end = place, place
    if word == "in":
        start = place + 1
        end = _within_year(sentence, start)
    elif word == "on":
        start = place + 1
        end = _date(sentence, start) or _weekday(sentence, start)
    elif word == "at":
        start = place + 1
        end = _hour(sentence, start)
    elif sentence.lower(place + 2) == "ago" and sentence.is_in(place + 1, "number.unit"):
        end = place + 3
    if end <= start or _goes_on(sentence, end):
        return None
    if (word, sentence.lower(end)) in (("on", "at"), ("at", "on")):
        more = time_phrase(sentence, end)
        end = more[0] if more else end
    return end, start, end


def _within_year(sentence: Sentence, start: int) -> int:
    place = start
    if sentence.lower(place) == "the":
        place += 1
        if sentence.lower(place) in ("early", "late", "mid"):
            place += 1
        text = _text(sentence, place)
        if _DECADE.fullmatch(text):
            return place + 1
        ordinal = sentence.is_in(place, "number.ordinal") and text not in ("last", "next")
        century = _CENTURY.fullmatch(text) or ordinal
        if century and sentence.lower(place + 1) == "century":
            return place + 2
        if sentence.is_in(place, "time.season"):
            if sentence.lower(place + 1) == "of" and _year(sentence, place + 2):
                return place + 3
            return place + 1
        return 0
    if sentence.lower(place) in ("early", "late", "mid"):
        place += 1
    if _text(sentence, place) in words("time.month"):
        place += 1
        comma = place + 1 if _text(sentence, place) == "," else place
        return comma + 1 if _year(sentence, comma) else place
    if _text(sentence, place).isdigit() and _text(sentence, place + 1) in ("BC", "AD", "BCE", "CE"):
        return place + 2
    return place + 1 if _year(sentence, place) else 0


def _date(sentence: Sentence, start: int) -> int:
    place = start
    if _text(sentence, place) in words("time.weekday"):
        place += 2 if _text(sentence, place + 1) == "," else 1
    if _text(sentence, place) in words("time.month") and _DAY.fullmatch(_text(sentence, place + 1)):
        place += 2
    else:
        place += sentence.lower(place) == "the"
        if not _DAY.fullmatch(_text(sentence, place)):
            return 0
        place += 2 if sentence.lower(place + 1) == "of" else 1
        if _text(sentence, place) not in words("time.month"):
            return 0
        place += 1
    comma = place + 1 if _text(sentence, place) == "," else place
    return comma + 1 if _year(sentence, comma) else place


def _weekday(sentence: Sentence, start: int) -> int:
    if _text(sentence, start) not in words("time.weekday"):
        return 0
    return start + 2 if sentence.is_in(start + 1, "time.day_part") else start + 1


def _hour(sentence: Sentence, start: int) -> int:
    if sentence.is_in(start, "time.moment"):
        return start + 1
    text, after = _text(sentence, start), _text(sentence, start + 1)
    if _CLOCK.fullmatch(text):
        return start + 2 if after in _HALVES else start + 1
    hour = text.lower() in words("time.hour") or (text.isdigit() and 0 < int(text) < 13)
    if hour and (after in _HALVES or after.replace("\u2019", "'") == "o'clock"):
        return start + 2
    return 0


def _year(sentence: Sentence, place: int) -> bool:
    return bool(_YEAR.fullmatch(_text(sentence, place)))


def _text(sentence: Sentence, place: int) -> str:
    return sentence[place].text if 0 <= place < len(sentence) else ""


def _goes_on(sentence: Sentence, end: int) -> bool:
    """Return whether what looked like a time counts or names something: "in 1500 villages"."""
    if end >= len(sentence):
        return False
    token = sentence[end]
    if token.is_number or token.text in ("-", "\u2013", "/", "'s", "\u2019s"):
        return True
    verb = is_verb_form(token.lower, "past", "participle", "third")
    return token.is_word and not token.is_capital and not verb and not sentence.is_in(
        end, "function.preposition", "function.conjunction", "function.subordinator",
        "function.be", "verb.modal", "function.adverb", "function.determiner", "function.pronoun",
    )  # fmt: skip
