"""Words that only a sentence's neighbours explain: no question can have them."""

import re

_POINTING = re.compile(
    r"\b(it|he|she|him|they|them|theirs|hers|this|that|these|those|i|my|me|mine|"
    r"you|your|there|here|one|such|same)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(its|his|her|their)\b", re.IGNORECASE)
_OUR = re.compile(r"\b(we|our|us|ours)\b", re.IGNORECASE)


def is_vague(text: str, *, own: bool = False, ours: bool = False) -> bool:
    """Return whether a text points at something outside it.

    With ``own``, "its" and "his" pass: they mean the subject of the clause. With ``ours``, "we" and
    "our" pass: who watches knows who speaks.
    """
    if _POINTING.search(text):
        return True
    return bool((not own and _OWN.search(text)) or (not ours and _OUR.search(text)))


def definite(text: str) -> str:
    """Return a text with "its light" and "their oak" as "the light" and "the oak"."""
    return re.sub(r"\b(?:its|their)\b", "the", text, flags=re.IGNORECASE)
