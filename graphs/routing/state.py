"""What the router's nodes hand on: ids and texts, never tensors."""

from operator import add
from typing import Annotated, Any, Literal, TypedDict

Route = Literal["weights", "evidence", "rewatch", "abstain", "small_talk"]


class Citation(TypedDict):
    """A span of the video that proves an answer, in seconds, and what was measured there."""

    id: str
    kind: str
    start: float
    end: float
    text: str


class Turn(TypedDict):
    """One question of a conversation as it stands alone, its answer and the video it was about."""

    question: str
    answer: str
    nkr: str


class Asked(TypedDict, total=False):
    """What a router is asked: ``video`` is the id of its NKR, or None where that is open.

    ``turns`` are added to those of the conversation so far.
    """

    question: str
    video: str | None
    turns: Annotated[list[Turn], add]


class Replied(TypedDict, total=False):
    """What it replies.

    ``route`` says where the answer comes from: the weights, stored evidence, the frames looked at
    again; or that the video does not show it; or that nothing was asked about a video.
    ``confidence`` is 0 to 1: of the weights how likely their answer is right, a refusal's too; of
    what was read or seen the probability that the backbone gives it. ``supported`` is false where
    no stored evidence has what is said.
    """

    question: str
    standalone: str
    nkr: str | None
    answer: str
    route: Route | None
    confidence: float
    supported: bool
    citations: list[Citation]
    steps: list[str]


class RouterState(Asked, Replied, total=False):
    """The whole state; ``turns`` is the conversation so far, ``steps`` how this question went."""

    candidates: list[str]
    weights: dict[str, Any]
