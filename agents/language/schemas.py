"""What the agents' model replies with; flat, every field required, as strict servers demand."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field


def _not_blank(text: str) -> str:
    # Strict servers take no bound on a text's length, so none stands in the schema.
    if not text.strip():
        raise ValueError("is empty")
    return text


QuestionKind = Literal[
    "who", "what", "where", "when_said", "how_many", "text", "action", "look", "order", "reason",
    "when_shown",
]  # fmt: skip


class Ready(BaseModel):
    """The reply to the question that is asked before any work."""

    word: str


class Name(BaseModel):
    """Who or what comes up again and again, under one name for all spans."""

    name: str
    what: str


class Chapter(BaseModel):
    """A part of the video from ``start``, in seconds; ``weight`` (1 to 5) is how dense it is."""

    start: float
    title: str
    weight: int


class Outline(BaseModel):
    """The planner's decision."""

    kind_of_video: str
    names: list[Name]
    chapters: list[Chapter]
    question_kinds: list[QuestionKind]


class Description(BaseModel):
    """Everything that a span shows and says, in the video's order."""

    text: Annotated[str, AfterValidator(_not_blank)]


class Item(BaseModel):
    """One fact of a span as questions: its answer, many wordings, and wrong answers beside it."""

    kind: QuestionKind
    start: float
    end: float
    answer: str
    wordings: list[str]
    wrong_answers: list[str]


class Questions(BaseModel):
    """The question-writer's work on a span."""

    items: list[Item]
    not_in_video: list[str]


class Wordings(BaseModel):
    """New wordings of one fact, by its id."""

    id: str
    answer: str
    wordings: list[str]


class Rewritten(BaseModel):
    """What was rejected or not learnt, in new words; an item that cannot be mended is left out."""

    items: list[Wordings]


class Answered(BaseModel):
    """The verifier's own answer to a question; empty where nothing tells it."""

    id: str
    answer: str
    certain: bool


class Answers(BaseModel):
    """The verifier's own answers."""

    answers: list[Answered]


class Judged(BaseModel):
    """Whether a proposed answer stands, and why."""

    id: str
    supported: bool
    reason: str


class Judgements(BaseModel):
    """The verifier's verdicts."""

    judgements: list[Judged]


class Step(BaseModel):
    """One thing to look up before deciding; ``decide`` ends the looking.

    ``times`` are one or two times in seconds; ``box`` is a region to enlarge as left, top, right
    and bottom in shares of the picture, 0 to 1; ``query`` is what to search for.
    """

    action: Literal["frames", "zoom", "text", "speech", "search", "decide"]
    times: list[float] = Field(max_length=8)
    box: list[float]
    query: str
