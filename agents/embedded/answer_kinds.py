"""Whether an answer is of the kind that its question asks for: nobody is tall at 00:38."""

import re

from training.scoring import fold, reasoned

_ASKS = re.compile(
    r"\bhow (?:(?P<count>many(?! seconds| minutes)|old|large|big)"
    r"|(?P<size>tall|high(?! is the number)|wide|deep|heavy|thick))\b"
    r"|\b(?P<year>(?:what|which) year)\b"
    r"|\b(?P<person>who|whose|whom)\b"
    r"|\b(?P<other>what|which|when|where|why|how)\b"
)
_BE = (
    r"(?:is|are|was|were|does|do|did|has|have|had|can|could|will|would|should)(?:n't)?\b"
    r"(?! (?:you|i|we)\b| they (?:give|say|tell|name)\b)"
)
_OPENS = re.compile(_BE)
# "What I want to know is, did it rain?"
_OPENS_LATER = re.compile(rf"[,:;.]\s*{_BE}")
_QUOTED = re.compile(r"[\"\u201c][^\"\u201d]*[\"\u201d]|(?<!\w)'[^']*'(?!\w)")
_CLOCK = re.compile(r"\d[\d:]*:\d\d")
_COUNTED = re.compile(
    r"\d|\b(?:no|none|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"\w+ty|hundreds?|thousands?|millions?|dozens?|once|twice|thrice|half|third|quarter|all|both|"
    r"many|few|several|pair|couple|every|each|daily|always|never|nothing|nobody)\b"
)
# What is longer may say yes or no in other words.
_SHORT = 5


def fits(question: str, answer: str) -> bool:
    """Tell whether an answer can be one to a question, whatever the video shows."""
    asked = _QUOTED.sub("x", question.replace("\u2019", "'")).casefold()
    said = answer.casefold()
    found = _ASKS.search(asked)
    verdict = reasoned(answer)[1] in ("yes", "no")
    if found is None:
        opens = _OPENS.match(asked) and " or " not in asked
        return not opens or verdict or len(fold(answer).split()) > _SHORT
    if verdict:
        # "When that is shown, tell me if it is red" may well be answered so.
        direct = found.start() == 0 and not found["other"]
        return not direct or _OPENS_LATER.search(asked) is not None
    clock = _CLOCK.fullmatch(said) is not None
    if found["count"] or found["size"]:
        # A size has a unit: "1891" is a year.
        bare = found["size"] and re.fullmatch(r"[\d.,]+", said)
        return _COUNTED.search(said) is not None and not clock and not bare
    if found["year"]:
        return re.search(r"\d", said) is not None and not clock
    return not (found["person"] and re.fullmatch(r"[\d:.,\s]+", said))
