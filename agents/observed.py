"""Agents whose work can be watched: each call is a LangChain run, nested under its graph's node.

Whatever listens to LangChain's callbacks (MLflow, LangSmith, an `astream_events` of one's own) sees
which agent was asked what, and what it returned. The models and tools that it used are below it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from langchain_core.runnables import RunnableLambda

from agents.team import Assignment, Failure, Plan, Rejection, Team
from tools.evidence import Evidence
from training.corpus import Record

Result = TypeVar("Result")


def observed(team: Team) -> Team:
    """Return a team whose calls can be watched."""
    return Team(
        planner=_Planner(team),
        describer=_Describer(team),
        question_writer=_QuestionWriter(team),
        verifier=_Verifier(team),
    )


class _Planner:
    def __init__(self, team: Team) -> None:
        self._agent = team.planner

    def plan(self, evidence: Sequence[Evidence], seconds: float) -> Plan:
        asked = {"evidence": len(evidence), "seconds": seconds}
        return _run(
            "planner.plan",
            asked,
            lambda: self._agent.plan(evidence, seconds),
            lambda plan: plan.model_dump(mode="json"),
        )


class _Describer:
    def __init__(self, team: Team) -> None:
        self._agent = team.describer

    def describe(self, assignment: Assignment) -> list[Record]:
        return _run(
            "describer.describe",
            _told(assignment),
            lambda: self._agent.describe(assignment),
            _records,
        )


class _QuestionWriter:
    def __init__(self, team: Team) -> None:
        self._agent = team.question_writer

    def write(self, assignment: Assignment) -> list[Record]:
        return _run(
            "question_writer.write",
            _told(assignment),
            lambda: self._agent.write(assignment),
            _records,
        )

    def revise(self, rejections: Sequence[Rejection], assignment: Assignment) -> list[Record]:
        rejected = [{**_record(one.record), "why": one.reason} for one in rejections]
        return _run(
            "question_writer.revise",
            {**_told(assignment), "rejected": rejected},
            lambda: self._agent.revise(rejections, assignment),
            _records,
        )

    def augment(
        self, failures: Sequence[Failure], assignment: Assignment, exam: int
    ) -> list[Record]:
        failed = [{**_record(one.record), "answered": one.answer} for one in failures]
        return _run(
            "question_writer.augment",
            {"exam": exam, "failed": failed},
            lambda: self._agent.augment(failures, assignment, exam),
            _records,
        )


class _Verifier:
    def __init__(self, team: Team) -> None:
        self._agent = team.verifier

    def verify(
        self, records: Sequence[Record], plan: Plan, evidence: Sequence[Evidence]
    ) -> list[Record]:
        return _run(
            "verifier.verify",
            {"records": _records(records)},
            lambda: self._agent.verify(records, plan, evidence),
            lambda judged: [{"id": one.id, "verdict": one.verdict} for one in judged],
        )


def _run(
    name: str, asked: dict[str, Any], work: Callable[[], Result], shown: Callable[[Result], Any]
) -> Result:
    """Do some work as a run of a name; what listens sees ``asked``, and the result as ``shown``."""
    results: list[Result] = []

    def run(_: dict[str, Any]) -> Any:
        results.append(work())
        return shown(results[0])

    RunnableLambda(run, name=name).invoke(asked)
    return results[0]


def _told(assignment: Assignment) -> dict[str, Any]:
    if (span := assignment.span) is None:
        return {"span": None, "facts": len(assignment.plan.facts)}
    facts = [
        f"{fact.id} {fact.subject} {fact.attribute}: {fact.value}"
        for fact in assignment.plan.facts
        if any(start < span[1] and span[0] < end for start, end in fact.spans)
    ]
    return {"span": span, "facts": facts, "description": assignment.description}


def _records(records: Sequence[Record]) -> list[dict[str, Any]]:
    return [_record(record) for record in records]


def _record(record: Record) -> dict[str, Any]:
    told = {"id": record.id, "form": record.form, "split": record.split}
    return {**told, "question": record.question, "answer": record.answer}
