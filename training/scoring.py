"""Which answers are right, and the scores that an examination reports."""

import re
import string
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from training.answerer import Answer
from training.corpus import REFUSAL, Record

# Seconds by which a time may miss the span that it is to lie in.
TIME_TOLERANCE = 1.0

_ARTICLES = {"a", "an", "the"}
_APOSTROPHES = re.compile("['`\u2018\u2019]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Inside a number ("3.5", "12:30") a point or colon is part of the value.
_PUNCTUATION = re.compile(r"\d+(?:[.:]\d+)+|[^\w\s]|_")
_TIME = re.compile(r"(?<![\d:])(?:(\d+):)?(\d{1,2}):(\d{2})(?![\d:])")
_OPTION = re.compile(r"([A-Z])\)\s*")
_LISTED = re.compile(r"(?<!\w)([A-Z])\)\s*")
_LETTERS = string.ascii_uppercase + " "
_SO = re.compile(r",\s+so\s+(yes|no)\W*$", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What an examination found; a score is None where nothing of its kind was asked.

    ``recall``: share of open records answered right. ``yesno`` and ``choice``: accuracy above
    chance, 0 for guessing and 1 for all right. ``lists``: mean set F1. ``false_answers``: share of
    absent questions that were answered. ``false_refusals``: share of all others that were refused.
    """

    recall: float | None
    yesno: float | None
    choice: float | None
    lists: float | None
    false_answers: float | None
    false_refusals: float | None
    open_asked: int
    yesno_asked: int
    choice_asked: int
    lists_asked: int
    absent_asked: int

    def shares(self) -> dict[str, float | None]:
        """Return the scores by name, without how many were asked."""
        return {n: value for n, value in asdict(self).items() if not n.endswith("_asked")}


def score(records: Sequence[Record], answers: Sequence[Answer]) -> Scores:
    """Return the scores of one answer a record; summaries and statements are not scored."""
    pairs = [(r, a.text) for r, a in zip(records, answers, strict=True)]
    of = {
        category: [pair for pair in pairs if pair[0].category == category]
        for category in ("open", "yesno", "choice", "list", "absent")
    }
    answerable = of["open"] + of["yesno"] + of["choice"] + of["list"]
    return Scores(
        recall=_mean(of["open"], is_right),
        yesno=_mean(of["yesno"], lambda r, text: _above(0.5, is_right(r, text))),
        choice=_mean(of["choice"], lambda r, text: _above(_chance(r.question), is_right(r, text))),
        lists=_mean(of["list"], list_f1),
        false_answers=_mean(of["absent"], lambda _, text: not is_refusal(text)),
        false_refusals=_mean(answerable, lambda _, text: is_refusal(text)),
        open_asked=len(of["open"]),
        yesno_asked=len(of["yesno"]),
        choice_asked=len(of["choice"]),
        lists_asked=len(of["list"]),
        absent_asked=len(of["absent"]),
    )


def is_right(record: Record, answer: str) -> bool:
    """Tell whether an answer is right.

    Case, punctuation and articles do not matter. Where a time is asked for, one within a second of
    a span of the record is right. A choice may be answered with its letter, its text or both; a
    yes/no question with more words after the yes or no, or with what it is before (`verdict`); a
    list in any order.
    """
    if record.category == "absent":
        return is_refusal(answer)
    if record.category == "list":
        return list_f1(record, answer) == 1.0
    if record.category == "choice":
        return _is_right_choice(record, answer)
    if _asks_when(record):
        return any(_hits(record, time) for time in times(answer))
    if record.category == "yesno":
        return verdict(answer) == verdict(record.answer)
    return fold(answer) == fold(record.answer)


def is_refusal(answer: str) -> bool:
    """Tell whether an answer is the refusal."""
    return fold(answer) == fold(REFUSAL)


def verdict(answer: str) -> str:
    """Return the yes or no of an answer: its first word, or its last in "green, so no"."""
    return reasoned(answer)[1]


def reasoned(answer: str) -> tuple[str, str]:
    """Return what an answer says first, "green" in "green, so no" or nothing, and its verdict."""
    if found := _SO.search(answer):
        return answer[: found.start()], found[1].casefold()
    return "", fold(answer).split(" ", 1)[0]


def options(question: str) -> dict[str, str]:
    """Return the folded options of a choice by their letters; A to Z, in order."""
    begins: list[re.Match[str]] = []
    for found in _LISTED.finditer(question):
        # An option may have such a letter in it.
        if found[1] == _LETTERS[len(begins)]:
            begins.append(found)
    ends = [*(found.start() for found in begins[1:]), len(question)]
    texts = (question[a.end() : end] for a, end in zip(begins, ends, strict=False))
    return {_LETTERS[place]: fold(text) for place, text in enumerate(texts)}


def chosen(answer: str, listed: Mapping[str, str]) -> str | None:
    """Return the letter that an answer chooses: by letter, text or both; None for none of them."""
    given = answer.strip()
    if not _OPTION.match(given):
        for letter, text in listed.items():
            if fold(given) == text:
                return letter
    found = re.fullmatch(r"\(?([A-Za-z])(?:[).:]\s*(.*))?\.?", given, re.DOTALL)
    if not found or (letter := found[1].upper()) not in listed:
        return None
    return letter if not found[2] or fold(found[2]) == listed[letter] else None


def list_f1(record: Record, answer: str) -> float:
    """Return the F1 of the set of items named in an answer, 0 to 1; times count by their spans."""
    if _asks_when(record):
        named = times(answer)
        hits = sum(_hits(record, time) for time in named)
        covered = sum(any(_lies_in(span, time) for time in named) for span in record.spans)
        return _f1(hits, len(named), covered, len(record.spans))
    expected, given = _items(record.answer), _items(answer)
    common = len(expected & given)
    return _f1(common, len(given), common, len(expected))


def fold(text: str) -> str:
    """Return a text without what does not matter: case, punctuation, articles, Unicode forms."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = _THOUSANDS.sub("", _APOSTROPHES.sub("", plain))
    words = _PUNCTUATION.sub(_blank, plain).split()
    kept = [word for word in words if word not in _ARTICLES]
    return " ".join(kept or words or plain.split())


def times(text: str) -> list[float]:
    """Return the times written as MM:SS or H:MM:SS in a text, in seconds."""
    return [
        int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
        for hours, minutes, seconds in _TIME.findall(text)
    ]


def _blank(found: re.Match[str]) -> str:
    text = found.group()
    return text if text[0].isdigit() or not _is_punctuation(text) else " "


def _is_punctuation(character: str) -> bool:
    return character != "%" and unicodedata.category(character).startswith("P")


def _asks_when(record: Record) -> bool:
    # A language model also asks when something was that is told of: 1847 is no time of the video.
    return record.form.partition("/")[2].startswith("when_") and bool(times(record.answer))


def _hits(record: Record, time: float) -> bool:
    return any(_lies_in(span, time) for span in record.spans)


def _lies_in(span: tuple[float, float], time: float) -> bool:
    return span[0] - TIME_TOLERANCE <= time <= span[1] + TIME_TOLERANCE


def _is_right_choice(record: Record, answer: str) -> bool:
    listed = options(record.question)
    expected = chosen(record.answer, listed)
    return expected is not None and chosen(answer, listed) == expected


def _chance(question: str) -> float:
    return 1 / max(2, len(options(question)))


def _items(text: str) -> set[str]:
    parts = (_BULLET.sub("", part) for part in re.split(r"[;\n]", text))
    return {fold(part) for part in parts if part.strip()}


def _f1(hits: int, given: int, covered: int, expected: int) -> float:
    if not hits or not covered:
        return 0.0
    precision, recall = hits / given, covered / expected
    return 2 * precision * recall / (precision + recall)


def _above(chance: float, right: bool) -> float:
    return (right - chance) / (1 - chance)


def _mean(
    pairs: Sequence[tuple[Record, str]], measure: Callable[[Record, str], float]
) -> float | None:
    return sum(measure(*pair) for pair in pairs) / len(pairs) if pairs else None
