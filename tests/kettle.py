"""A talk about a kettle as evidence and as a plan, and records about it."""

from collections.abc import Sequence

import pytest

from agents.embedded.planner import EmbeddedPlanner
from agents.team import Plan
from tools.evidence import Evidence, Kind
from training.corpus import Message, Record, Split
from training.facts import Span

SECONDS = 30.0
EVIDENCE: list[tuple[Kind, float, float, str]] = [
    ("shot", 0, 10, "shot 1"),
    ("shot", 10, 20, "shot 2"),
    ("shot", 20, 30, "shot 3"),
    ("title", 0, 10, "The Copper Kettle"),
    ("title", 10, 20, "Marta Lindqvist"),
    ("title", 20, 30, "Northgate Harbour"),
    ("text", 0, 10, "Made in Bergen"),
    ("text", 0, 10, "Sold in Oslo"),
    ("colour", 0, 10, "red"),
    ("colour", 10, 20, "blue"),
    ("colour", 20, 30, "green"),
    ("speech", 1, 4, "Marta Lindqvist bought the kettle in 1921."),
    ("speech", 11, 14, "The kettle\u2019s weight was a secret of Northgate."),
    ("speech", 21, 24, "The harbour has twelve cranes."),
]


def measured(rows: Sequence[tuple[Kind, float, float, str]]) -> list[Evidence]:
    """Return evidence from its kinds, times and values."""
    return [
        Evidence(id=f"e{i:04d}", kind=kind, start=start, end=end, value=value, source="t", score=1)
        for i, (kind, start, end, value) in enumerate(rows, 1)
    ]


Measured = tuple[Sequence[tuple[Kind, float, float, str]], float]


@pytest.fixture
def measurements() -> Measured:
    """What is seen and said in the talk, and its seconds; a module may tell of another."""
    return EVIDENCE, SECONDS


@pytest.fixture
def evidence(measurements: Measured) -> list[Evidence]:
    """What was measured in the talk."""
    return measured(measurements[0])


@pytest.fixture
def plan(evidence: list[Evidence], measurements: Measured) -> Plan:
    """The talk's plan."""
    return EmbeddedPlanner().plan(evidence, measurements[1])


def fact_id(plan: Plan, value: str, kind: str = "") -> str:
    """Return the id of the fact of a value, and of a kind of relation where one is given."""
    return next(
        fact.id
        for fact in plan.facts
        if fact.value == value and (fact.relation.kind if fact.relation else "") == kind
    )


def record(
    form: str,
    question: str,
    answer: str,
    fact_ids: list[str],
    spans: list[Span],
    split: Split = "train",
    number: int = 1,
) -> Record:
    """Return a record that is not verified yet."""
    absent = form.startswith("absent/")
    return Record(
        id=f"r{number}",
        video_id="v",
        kind="absent" if absent else "qa",
        form=form,
        fact_ids=fact_ids,
        spans=spans,
        split=split,
        messages=[
            Message(role="user", content=question),
            Message(role="assistant", content=answer),
        ],
    )
