"""The forgetting probe's exercises: fixed, and about no video."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from training.prompt import user_turn

# Exercises read at a time: a hub model's table of a hundred thousand words for each token of their
# answers is held meanwhile.
AT_ONCE = 24


@dataclass(frozen=True)
class Reading:
    """A short text, a question about it, and the answer that stands in the text word for word."""

    context: str
    question: str
    answer: str

    @property
    def turn(self) -> str:
        """What the user says."""
        return user_turn(self.question, self.context)


@cache
def read_probe() -> tuple[Reading, ...]:
    """Return the exercises of the probe."""
    text = resources.files("training").joinpath("probe.jsonl").read_text(encoding="utf-8")
    return tuple(Reading(**json.loads(line)) for line in text.splitlines())
