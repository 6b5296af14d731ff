"""Give the speakers that a recogniser told apart their names, where the video tells them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tools.evidence import Evidence

_LABEL = re.compile(r"SPEAKER_\d+")
_WORD = r"[A-Z][\w'.-]+"
_LINK = r"(?:van|von|der|de|da|di|la|le|al|bin)"
_LONG_NAME = rf"{_WORD}(?: {_LINK})*(?: {_WORD}){{1,2}}"
_INTRODUCED = re.compile(
    rf"\b(?:[Mm]y name(?: is|'s) ({_LONG_NAME}|{_WORD})|(?:I am|I'm) ({_LONG_NAME}))"
)
_TITLED = re.compile(_LONG_NAME)
# A name on the screen is a speaker's if it stands while that one speaks for so much of the time.
ALONE = 0.6


def named(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence with a recogniser's labels of speakers replaced by names.

    A name is what a speaker says of himself ("I'm Marta Lindqvist"), else a name that stands on the
    screen mostly while he speaks; else Speaker 1, Speaker 2, in the order of the video. Names that
    captions give stay as they are.
    """
    said: defaultdict[str, list[Evidence]] = defaultdict(list)
    for item in sorted(evidence, key=lambda item: item.start):
        if item.speaker is not None and _LABEL.fullmatch(item.speaker):
            said[item.speaker].append(item)
    names: dict[str, str] = {}
    for number, (label, lines) in enumerate(said.items(), 1):
        found = [*_introductions(lines), *_shown_while_speaking(label, said, evidence)]
        free = [name for name in found if name not in names.values()]
        names[label] = free[0] if free else f"Speaker {number}"
    return [
        item.model_copy(update={"speaker": names[item.speaker]}) if item.speaker in names else item
        for item in evidence
    ]


def _introductions(lines: Iterable[Evidence]) -> list[str]:
    straight = (line.value.replace("\u2019", "'") for line in lines)
    found = (match for text in straight for match in _INTRODUCED.finditer(text))
    names = Counter((match[1] or match[2]).rstrip(".") for match in found)
    return [name for name, _ in names.most_common()]


def _shown_while_speaking(
    label: str, said: dict[str, list[Evidence]], evidence: Sequence[Evidence]
) -> list[str]:
    shown: Counter[str] = Counter()
    for item in evidence:
        if item.kind not in ("title", "text") or not _TITLED.fullmatch(item.value):
            continue
        spoken = {who: sum(_shared(item, line) for line in lines) for who, lines in said.items()}
        if spoken[label] > 0 and spoken[label] >= ALONE * sum(spoken.values()):
            shown[item.value] += 1
    return [name for name, _ in shown.most_common()]


def _shared(one: Evidence, other: Evidence) -> float:
    return max(0.0, min(one.end, other.end) - max(one.start, other.start))
