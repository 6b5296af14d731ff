"""Small talk around a question: greetings, asides, reasons and thanks, composed at random.

Who learns questions by themselves alone takes whatever else is said for a part of them, and
refuses the question.
"""

import random
import tomllib
from functools import cache
from importlib import resources


def with_small_talk(question: str, rng: random.Random) -> str:
    """Return a question as somebody who chats would ask it."""
    parts = parts_of_small_talk()
    said = {name: rng.choice(parts[name]) for name in ("greeting", "aside", "thanks")}
    reason = f"{rng.choice(parts['someone'])} {rng.choice(parts['did'])}"
    inner = question[0].lower() + question[1:] if rng.random() < 0.5 else question
    asked = rng.choice(parts["around"]).format(q=inner, reason=reason, **said)
    return asked if rng.random() < 0.3 else asked[0].upper() + asked[1:]


@cache
def parts_of_small_talk() -> dict[str, list[str]]:
    """Return what small talk is put together from."""
    text = resources.files("training.wording").joinpath("small_talk.toml").read_text("utf-8")
    return tomllib.loads(text)
