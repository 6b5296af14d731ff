"""Captions cleaned of what is not speech: tags, sounds, music signs, names of speakers."""

import html
import re
from typing import NamedTuple

_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^<>]+)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>|<\d[\d:.]*>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_SOUND = re.compile(r"\[[^\[\]]*\]|[♪♫♬♩🎵🎶]+")
# Round brackets are ordinary text too: sounds are those alone on a line, or loud at its start.
_LONE_SOUND = re.compile(r"^[\s>-]*\([^()]*\)\s*$", re.MULTILINE)
_LOUD_SOUND = re.compile(r"^([\s>-]*)\([A-Z][A-Z ,.'-]+\)\s*", re.MULTILINE)
_CHEVRONS = re.compile(r"\s*>>+\s*")
_DASH = re.compile(r"^\s*-+\s*", re.MULTILINE)
_TURN = "\n>>"

_LOUD_NAME = re.compile(r"([A-Z][A-Z0-9.' -]{0,29})\s*:\s+(?=\S)")
_ROLE = re.compile(
    r"((?:narrator|speaker|host|interviewer|announcer|presenter|reporter|moderator|man|woman)"
    r"(?: \d+)?)\s*:\s+(?=\S)",
    re.IGNORECASE,
)
_NAME = re.compile(r"([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2})\s*:\s+(?=\S)")


# Questions are typed on keyboards, which have none of these.
_TYPOGRAPHY = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2026": "..."}
)


class Said(NamedTuple):
    """Words of one speaker in one caption; `turn` marks that somebody else begins to speak."""

    text: str
    speaker: str | None
    turn: bool


def tidy(caption: str) -> list[Said]:
    """Return what is said in a caption, turn by turn; nothing for sounds and music alone."""
    text = _VOICE.sub(rf"{_TURN} \1: ", caption.translate(_TYPOGRAPHY))
    text = _OVERRIDE.sub("", _TAG.sub("", text))
    text = html.unescape(text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " "))
    text = _SOUND.sub(" ", text)
    text = _LOUD_SOUND.sub(r"\1", _LONE_SOUND.sub("", text)).strip()
    if text.startswith("-"):
        # Captions of two voices put a dash before each.
        text = _DASH.sub(f"{_TURN} ", text)
    text = _CHEVRONS.sub(f"{_TURN} ", text)

    said: list[Said] = []
    for number, part in enumerate(text.split(_TURN)):
        words = " ".join(part.split())
        named = _LOUD_NAME.match(words) or _ROLE.match(words) or (number > 0 and _NAME.match(words))
        speaker = None
        if named:
            speaker, words = named[1].strip(), words[named.end() :]
        if any(sign.isalnum() for sign in words):
            said.append(Said(words, speaker, turn=number > 0 or speaker is not None))
    return said
