"""Questions that point at what nobody sees: they do not name what they ask about."""

import re

_POINTING = re.compile(
    r"\b(?:(?:in|at|of|from|during) )?(?:this|that|the current|the given|the above) "
    r"(?:scene|clip|frame|shot|image|picture|span|segment|moment|part|slide|screen|passage|section)\b"
    r"|\b(?:the|these|those) (?:frames?|clip|images?|excerpt|description)\b"
    r"|\b(?:shown|seen|visible|written|said|pictured) here\b"
    r"|\bas (?:described|mentioned|shown) above\b",
    re.IGNORECASE,
)


def points(question: str) -> bool:
    """Tell whether a question points at a place in the video instead of naming it."""
    return bool(_POINTING.search(question))
