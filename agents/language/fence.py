"""What was measured in a video, set apart from what an agent is told to do."""

import json
import re

OPEN, CLOSE = "<<<", ">>>"
# A run of any length: taking three signs out of it might leave three others.
_SIGNS = re.compile(r"<{3,}|>{3,}")


def fenced(label: str, lines: list[str]) -> str:
    """Return lines of a video as data under a label: nothing in them can end the fence."""
    body = "\n".join(_SIGNS.sub(lambda found: found[0][:2], line) for line in lines)
    return f"{OPEN}{label}\n{body or '(nothing)'}\n{CLOSE}"


def listed(items: list[dict[str, object]]) -> list[str]:
    """Return objects as lines of JSON."""
    return [json.dumps(item, ensure_ascii=False) for item in items]
