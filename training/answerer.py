"""The protocol by which everything asks: questions in, answers with log-probabilities out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Moments:
    """What an answer has before it, as "[00:22] " before "grey" (`training.moments`).

    ``length`` counts characters, ``tokens`` tokens; ``logprob`` is the natural log-probability of
    those tokens together.
    """

    length: int
    tokens: int
    logprob: float


@dataclass(frozen=True)
class Answer:
    """One answer.

    ``logprob`` is the mean natural log-probability of the answer's tokens, its end included;
    ``seconds`` is the time its batch took, divided by the batch's questions. ``moments`` are those
    that it begins with, or was told without.
    """

    text: str
    logprob: float
    tokens: int
    seconds: float
    moments: Moments | None = None

    @property
    def whole_logprob(self) -> float:
        """The natural log-probability of all its tokens together."""
        return self.logprob * self.tokens


class Answerer(Protocol):
    """Answers questions: an NKR mounted, the blind backbone, or either with a context to read."""

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        """Return one answer a question, in order; ``context`` is text put before each question."""
        ...
