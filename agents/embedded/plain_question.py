"""A question as the small backbone has learnt to read it: moments as MM:SS, and not in capitals."""

import re

from training.wording.timeline import clock

_CURLY = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}
# "0:30", which nobody taught; of "John 3:16" and "5:30 pm" none is a moment of a video.
_SHORT_CLOCK = re.compile(
    r"\b(at|around|about|from|to|until|till|between|and|before|after|by) (\d):(\d\d)"
    r"(?![\d:]|\s*[ap]\.?m\b)",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    r"\b(at|around) (?:about |around |the )?(?:time of )?(?:"
    r"(\d+) ?(?:minutes?|min|m(?=\d))(?:(?: and)? ?(\d+) ?(?:seconds?|secs?|s))?"
    r"|(\d+) ?(?:seconds?|secs?|s)"
    r"|minute (\d+)(?![\d:.])|second (\d+)(?![\d:.]))\b"
    r"(?! (?:before|to|past|per|from|later|ago|after)\b)",
    re.IGNORECASE,
)


def straight(text: str) -> str:
    """Return a text with straight quotes and single spaces."""
    return " ".join(text.translate(_CURLY).split())


def plain(question: str) -> str:
    """Return a question with its moments written as the video's clock, and without shouting."""
    if len(re.findall(r"[A-Z]{2}", question)) > 2 and not re.search(r"[a-z]", question):
        question = question.capitalize()
    question = _SHORT_CLOCK.sub(r"\1 0\2:\3", question)
    return _IN_WORDS.sub(_as_clock, question)


def _as_clock(found: re.Match[str]) -> str:
    before, minutes, more, seconds, minute, second = found.groups()
    time = 60 * int(minutes or minute or 0) + int(more or seconds or second or 0)
    return f"{before} {clock(time)}"
