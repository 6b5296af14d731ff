"""A question as the small backbone has learnt to read it: moments as MM:SS, and not in capitals."""

import re

from training.wording.timeline import clock

# "0:30", which nobody taught.
_SHORT_CLOCK = re.compile(r"(?<![\d:])(\d):(\d\d)(?![\d:]|\s*[ap]\.?m\b)")
_NUMBER = r"(\d+(?:\.\d+)?)"
_IN_WORDS = re.compile(
    rf"\b(at|around) (?:the )?(?:time of )?(?:"
    rf"{_NUMBER} ?(?:minutes?|min)(?:(?: and)? {_NUMBER} ?(?:seconds?|secs?|s))?"
    rf"|{_NUMBER} ?(?:seconds?|secs?|s)"
    rf"|minute {_NUMBER}|second {_NUMBER})\b",
    re.IGNORECASE,
)


def plain(question: str) -> str:
    """Return a question with its moments written as the video's clock, and without shouting."""
    if len(re.findall(r"[A-Z]{2}", question)) > 2 and not re.search(r"[a-z]", question):
        question = question.capitalize()
    question = _SHORT_CLOCK.sub(r"0\1:\2", question)
    return _IN_WORDS.sub(_as_clock, question)


def _as_clock(found: re.Match[str]) -> str:
    before, minutes, more, seconds, minute, second = found.groups()
    time = 60 * float(minutes or minute or 0) + float(more or seconds or second or 0)
    return f"{before} {clock(time)}"
