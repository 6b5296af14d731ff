"""Whether an answer is of the kind that its question asks for: nobody is tall at 00:38.

Only what is surely of another kind is told; whatever else is asked or answered fits.
"""

import re

from agents.embedded.plain_question import straight
from training.scoring import fold, options, reasoned

_ASKS = re.compile(
    r"\bhow (?:(?P<many>many(?! (?:seconds|minutes|hours)))"
    r"|(?P<size>tall|high(?! is the number)|wide|deep|heavy|thick)|(?P<age>old|large|big))\b"
    r"|\b(?P<year>(?:what|which) year)\b"
    r"|\b(?P<person>who|whom)\b"
    r"|\b(?P<time>when (?:is|are|was|were|do|does|did|will|has|have|had))\b"
    r"|\b(?P<other>whose|what|which|when|where|why|how)\b"
)
_BE = r"(?:is|are|was|were|does|do|did|has|have|had|can|could|will|would|should)(?:n't)?\b"
_OPENS = re.compile(_BE)
# "Can anybody tell me ...", "does he name the ...": what is asked for is named, not affirmed.
_INDIRECT = re.compile(
    rf"{_BE} (?:you|i|we|anyone|anybody|someone|somebody)\b"
    r"|\b(?:name|names|named|mention|mentions|say|says|said|tell|tells|give|gives|state|states)\b"
)
# "What I want to know is, did it rain?"
_OPENS_LATER = re.compile(rf"[,:;.]\s*{_BE}")
_AFFIRMS = re.compile(
    r"(?:correct|right|true|false|wrong|indeed|not|never|always|sometimes|it|they|he|she|there"
    r"|this|that)\b"
)
_QUOTED = re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")
_CLOCK = re.compile(r"\d[\d:]*:\d\d")
_COUNTED = re.compile(
    r"\d|\b(?:no|none|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"\w+ty|\w+ties|hundreds?|thousands?|millions?|dozens?|once|twice|thrice|half|third|quarter|"
    r"all|both|many|few|several|pair|couple|every|each|an?|lots?|most|some|more|less|nobody)\b"
)
_MEASURE = re.compile(
    r"[\d.,]+ (?:(?:kilo|centi|milli)?(?:met(?:re|er)|gram|lit(?:re|er))s?|miles?|feet|foot|tons?"
    r"|pounds?|percent|degrees?)\b"
)
# So many words may be a name or a thing, and no sentence that affirms or denies.
_BARE = 3


def fits(question: str, answer: str) -> bool:
    """Tell whether an answer can be one to a question, whatever the video shows."""
    asked = _QUOTED.sub("x", straight(question)).casefold()
    said = answer.strip().rstrip(".").casefold()
    found = list(_ASKS.finditer(asked))
    verdict = reasoned(answer)[1] in ("yes", "no")
    if not found:
        return verdict or not _is_bare(asked, said) or bool(options(question))
    # Of several words that ask, any may be the one that counts; in a gap none is.
    one = found[0] if len(found) == 1 else None
    if one is None or " or " in asked or "____" in asked:
        return True
    if verdict:
        # "When that is shown, tell me if it is red" may well be answered so.
        direct = one.start() == 0 and not one["other"] and not one["time"]
        return not direct or _OPENS_LATER.search(asked) is not None
    clock = _CLOCK.fullmatch(said) is not None
    if one["many"] or one["year"]:
        return _COUNTED.search(said) is not None and not clock
    if one["size"] or one["age"]:
        # A size has a unit: "1891" is a year.
        year = one["size"] and re.fullmatch(r"[12]\d{3}", said)
        named = not _COUNTED.search(said) and all(w[0].isupper() for w in answer.split())
        often = one["size"] and said.startswith("every ")
        return not (clock or year or named or often)
    if one["time"]:
        return _MEASURE.match(said) is None
    return not (one["person"] and (clock or re.fullmatch(r"[12]\d{3}", said)))


def _is_bare(asked: str, said: str) -> bool:
    """Return whether a yes/no question is answered by a name or a thing."""
    direct = _OPENS.match(asked) and not _INDIRECT.search(asked) and " or " not in asked
    return bool(direct) and len(fold(said).split()) <= _BARE and not _AFFIRMS.match(said)
