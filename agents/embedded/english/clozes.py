"""Sentences with one telling part blanked out."""

from collections.abc import Iterator

from agents.embedded.english.lexicon import is_verb_form
from agents.embedded.english.names import find_names
from agents.embedded.english.noun_phrases import Reader
from agents.embedded.english.times import time_phrase
from agents.embedded.english.tokens import Sentence

BLANK = "____"
_FEWEST_WORDS = 4
_LONGEST_ANSWER = 5
_MOST = 4


def clozes(sentence: Sentence) -> list[tuple[str, str]]:
    """Return one to four (blanked sentence, hidden part) pairs, the most telling parts first.

    Nothing where the text is too short, or noise more than words.
    """
    count = sum(token.is_word or token.is_number for token in sentence.tokens)
    if count < _FEWEST_WORDS or not _is_language(sentence):
        return []
    found: list[tuple[str, str]] = []
    taken: list[tuple[int, int]] = []
    for start, end in _parts(sentence):
        if len(found) == min(_MOST, max(1, count // 4)):
            break
        answer = sentence.slice(start, end)
        overlaps = any(start < other_end and other < end for other, other_end in taken)
        if (
            overlaps
            or end - start > min(_LONGEST_ANSWER, count - 3)
            or not _unique(sentence, answer)
        ):
            continue
        taken.append((start, end))
        first, last = sentence[start].start, sentence[end - 1].end
        found.append((sentence.text[:first] + BLANK + sentence.text[last:], answer))
    return found


def _parts(sentence: Sentence) -> Iterator[tuple[int, int]]:
    names = find_names(sentence)
    reader = Reader(sentence, names)
    yield from ((n.start, n.end) for n in names if n.sure)
    for place in range(len(sentence)):
        if time := time_phrase(sentence, place):
            yield time[1], time[2]
    for place in range(len(sentence)):
        if reader.is_number(place) and not reader.is_number(place - 1):
            end = place + 1
            while reader.is_number(end):
                end += 1
            yield place, end
    if sentence.is_english:
        yield from sorted(_noun_phrases(sentence, reader), key=lambda part: part[0] - part[1])
    yield from _long_words(sentence)


def _noun_phrases(sentence: Sentence, reader: Reader) -> Iterator[tuple[int, int]]:
    place = 0
    while place < len(sentence):
        phrase = (
            reader.noun_phrase(place, subject=True)
            if sentence.is_in(place, "function.determiner")
            else None
        )
        if phrase is None or phrase.pronoun:
            place += 1
            continue
        start = phrase.start + 1
        dull = sentence.is_in(phrase.head, "noun.vague", "number.unit")
        if not dull and start < phrase.core_end:
            yield max(start, phrase.core_end - 3), phrase.core_end
        place = phrase.core_end


def _long_words(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Yield the long words, the longest first: what is left where grammar tells nothing."""
    long = [
        place
        for place, token in enumerate(sentence.tokens)
        if len(token.text) > 4 and token.text.replace("-", "").isalpha()
        and not sentence.is_in(place, "function.preposition", "function.pronoun",
                               "function.subordinator", "function.adverb", "function.determiner")
        and not is_verb_form(token.lower, "past", "gerund")
    ]  # fmt: skip
    for place in sorted(long, key=lambda place: -len(sentence[place].text)):
        yield place, place + 1


def _is_language(sentence: Sentence) -> bool:
    text = sentence.text
    telling = sum(c.isalpha() or c.isspace() or c.isdigit() for c in text)
    longer = [t for t in sentence.tokens if t.text.isalpha() and len(t.text) > 2]
    return (
        telling > 0.75 * len(text)
        and len(longer) >= 2
        and "____" not in text
        and text.isprintable()
    )


def _unique(sentence: Sentence, answer: str) -> bool:
    """Return whether the answer stands in the sentence once."""
    return sentence.text.casefold().count(answer.casefold()) == 1
