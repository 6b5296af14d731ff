"""The four agents' interfaces: who writes and checks the corpus, whatever is behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

from tools.evidence import Evidence
from training.corpus import Record
from training.facts import Fact, Span


class Plan(BaseModel):
    """What must be covered: the video's facts, and the spans that are written about in turn.

    A planner with a language model decides on more: what comes up again under which name, the kinds
    of questions that fit, and how many questions each span gets.
    """

    facts: list[Fact]
    spans: list[Span]
    chapters: list[tuple[float, str]]
    # What was observed as well: no question is about it, but counts and order are over all.
    unasked: list[Fact] = []
    kind_of_video: str = ""
    names: list[tuple[str, str]] = []
    question_kinds: list[str] = []
    questions: list[int] = []


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One span's work: its facts, what lies before and after, and the seed of its wording.

    ``span`` is None for the work over the whole video (lists, order, counting, summary).
    ``description`` is what the describer made of it, ``before`` of the spans before it: agents with
    a language model are told.
    """

    video_id: str
    span: Span | None
    plan: Plan
    seconds: float
    seed: int
    description: str = ""
    before: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A record that the verifier sent back, and why."""

    record: Record
    reason: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A record that the mounted adapter answered wrong, and what it answered."""

    record: Record
    answer: str


def exam_mark(exam: int) -> str:
    """Return what the ids of the records that are written after an exam begin with."""
    return f"a{exam}"


def is_written_after(record: Record, exam: int) -> bool:
    """Tell whether a record was written after an exam."""
    return record.id.startswith(f"{exam_mark(exam)}-")


class Planner(Protocol):
    """Decides what must be covered."""

    def plan(self, evidence: Sequence[Evidence], seconds: float) -> Plan:
        """Return the facts, spans and chapters of a video from its evidence."""
        ...


class Describer(Protocol):
    """Writes dense descriptions of a span."""

    def describe(self, assignment: Assignment) -> list[Record]:
        """Return description records (split ``train``) of the assignment's span."""
        ...


class QuestionWriter(Protocol):
    """Turns facts into question-answer records in many forms and all four splits."""

    def write(self, assignment: Assignment) -> list[Record]:
        """Return the records of a span, or of the whole video where the span is None."""
        ...

    def revise(self, rejections: Sequence[Rejection], assignment: Assignment) -> list[Record]:
        """Return rewritten records for those rejected pairs that can be mended; ids are kept."""
        ...

    def augment(
        self, failures: Sequence[Failure], assignment: Assignment, exam: int
    ) -> list[Record]:
        """Return new training records of the facts that an examination found unknown.

        ``exam`` is its number, from one, whose `exam_mark` their ids begin with; the assignment is
        the one over the whole video.
        """
        ...


class Verifier(Protocol):
    """Checks each record against the evidence at the spans that it cites."""

    def verify(
        self, records: Sequence[Record], plan: Plan, evidence: Sequence[Evidence]
    ) -> list[Record]:
        """Return the records, in their order, each with its verdict filled in."""
        ...


@dataclass(frozen=True, kw_only=True)
class Team:
    """The four agents of one run."""

    planner: Planner
    describer: Describer
    question_writer: QuestionWriter
    verifier: Verifier
