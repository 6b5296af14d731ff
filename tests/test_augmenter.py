"""New records of failed facts: in other words, turned round, and against what was answered."""

import re
from collections.abc import Sequence

import pytest
from kettle import SECONDS, fact_id, record

from agents.embedded.team import embedded_team
from agents.team import Assignment, Failure, Plan
from tools.evidence import Evidence
from training.corpus import REFUSAL, Record
from training.facts import Span
from training.scoring import times, verdict

FIRST: list[Span] = [(0.0, 10.0)]
EXAMS = (1, 2, 3)

pytest_plugins = ("kettle",)


def whole(plan: Plan, seed: int = 7) -> Assignment:
    return Assignment(video_id="v", span=None, plan=plan, seconds=SECONDS, seed=seed)


def augmented(
    plan: Plan, failures: Sequence[Failure], exam: int = 1, seed: int = 7
) -> list[Record]:
    return embedded_team().question_writer.augment(failures, whole(plan, seed), exam)


def missed_title(plan: Plan, answer: str = "I do not know") -> Failure:
    kettle = fact_id(plan, "The Copper Kettle")
    question = "What is the title at 00:03?"
    asked = record("open/title_by_time", question, "The Copper Kettle", [kettle], FIRST, "exam")
    return Failure(record=asked, answer=answer)


def missed_absent() -> Failure:
    asked = record("absent/when_title", 'When is "Deep Sea" shown?', REFUSAL, [], [], "exam")
    return Failure(record=asked, answer="00:12")


def test_a_failed_record_gets_training_records_of_the_same_fact(plan: Plan) -> None:
    failure = missed_title(plan)
    written = augmented(plan, [failure])
    assert len(written) >= 20
    assert {r.split for r in written} == {"train"}
    assert {r.kind for r in written} == {"qa"}
    assert {tuple(r.fact_ids) for r in written} == {tuple(failure.record.fact_ids)}
    assert all(r.verdict == "" and r.sources == ["e0004"] for r in written)
    assert len({r.id for r in written}) == len(written)


def test_the_fact_is_asked_anew_in_its_own_form_and_in_other_words(plan: Plan) -> None:
    failure = missed_title(plan)
    same = [r for r in augmented(plan, [failure]) if r.form == failure.record.form]
    assert {r.answer for r in same} == {"The Copper Kettle"}
    questions = {r.question.casefold() for r in same}
    assert len(questions) > 8
    assert failure.record.question.casefold() not in questions


def test_a_failed_value_is_asked_for_its_time(plan: Plan) -> None:
    failure = missed_title(plan)
    written = [r for exam in EXAMS for r in augmented(plan, [failure], exam)]
    turned = [r for r in written if r.form == "open/when_title"]
    assert turned
    for asked in turned:
        assert times(asked.answer) == [0.0]
        assert "copper kettle" in asked.question.casefold()


def test_a_failed_time_is_asked_for_its_value(plan: Plan) -> None:
    kettle = fact_id(plan, "The Copper Kettle")
    question = 'When is "The Copper Kettle" shown?'
    asked = record("open/when_title", question, "00:00", [kettle], FIRST, "exam")
    written = augmented(plan, [Failure(record=asked, answer="00:21")])
    same = [r for r in written if r.form == "open/when_title"]
    turned = [r for r in written if r.category == "open" and r.form != "open/when_title"]
    assert same
    assert turned
    assert {r.answer for r in turned} == {"The Copper Kettle"}


def test_a_fact_is_set_against_the_value_that_was_answered_in_its_place(plan: Plan) -> None:
    failure = missed_title(plan, "northgate harbour.")
    written = [r for exam in EXAMS for r in augmented(plan, [failure], exam)]
    # The last records of each examination are those between the two values.
    per_exam = len(written) // len(EXAMS)
    against = [r for i, r in enumerate(written) if i % per_exam >= per_exam - 4]
    assert {r.category for r in against} == {"choice", "yesno"}
    for asked in against:
        if asked.category == "choice":
            options = re.split(r" ?\b[A-D]\) ", asked.question)[1:]
            assert sorted(options) == ["Northgate Harbour", "The Copper Kettle"]
            assert asked.answer == "The Copper Kettle"
        else:
            question = asked.question.casefold()
            assert ("copper kettle" in question) == (verdict(asked.answer) == "yes")
            assert ("northgate harbour" in question) == (verdict(asked.answer) == "no")


@pytest.mark.parametrize("answer", ["The Copper Kettle", "Anna Weber", "blue", REFUSAL])
def test_no_choice_is_set_against_what_is_no_other_value(plan: Plan, answer: str) -> None:
    plain = augmented(plan, [missed_title(plan, "I do not know")])
    assert augmented(plan, [missed_title(plan, answer)]) == plain


def test_a_failed_absent_question_brings_absent_records(
    plan: Plan, evidence: list[Evidence]
) -> None:
    written = augmented(plan, [missed_absent()])
    assert len(written) == 8
    assert {(r.kind, r.category, r.split, r.answer) for r in written} == {
        ("absent", "absent", "train", REFUSAL)
    }
    assert not any(r.fact_ids or r.spans for r in written)
    judged = embedded_team().verifier.verify(written, plan, evidence)
    assert not [r.question for r in judged if "not refused" in r.verdict]


def test_a_failed_record_that_joins_facts_is_joined_anew(plan: Plan) -> None:
    marta, kettle = fact_id(plan, "Marta Lindqvist", "who"), fact_id(plan, "The Copper Kettle")
    question = "Which slide mentions Marta Lindqvist?"
    ids = [kettle, marta]
    asked = record("open/said_title", question, "The Copper Kettle", ids, FIRST, "exam")
    written = augmented(plan, [Failure(record=asked, answer="Oslo")])
    joined = [r for r in written if r.form == "open/said_title"]
    assert len(joined) == 12
    assert {tuple(r.fact_ids) for r in joined} == {(kettle, marta)}
    assert {r.answer for r in joined} == {"The Copper Kettle"}
    assert {tuple(r.fact_ids) for r in written if r not in joined} == {(kettle,)}


def test_facts_that_the_plan_does_not_have_bring_nothing(plan: Plan) -> None:
    asked = record("open/title_by_time", "What is the title?", "Nobody", ["f9999"], FIRST, "exam")
    assert augmented(plan, [Failure(record=asked, answer="Oslo")]) == []
    assert augmented(plan, []) == []


def test_every_new_record_stands_before_the_verifier(plan: Plan, evidence: list[Evidence]) -> None:
    team = embedded_team()
    exam = [
        r
        for span in [*plan.spans, None]
        for r in team.question_writer.write(
            Assignment(video_id="v", span=span, plan=plan, seconds=SECONDS, seed=1)
        )
        if r.split == "exam" and r.kind == "qa"
    ]
    failures = [Failure(record=r, answer="Northgate Harbour") for r in exam]
    judged = team.verifier.verify(augmented(plan, failures), plan, evidence)
    assert {fact for r in judged for fact in r.fact_ids} >= {r.fact_ids[0] for r in exam}
    wrong = [r for r in judged if "support" in r.verdict and r.verdict != "supported"]
    assert not [(r.form, r.question, r.answer) for r in wrong]
    assert not [r.question for r in judged if "is right too" in r.verdict]


def test_the_same_seed_gives_the_same_records(plan: Plan) -> None:
    failures = [missed_title(plan, "Northgate Harbour"), missed_absent()]
    assert augmented(plan, failures) == augmented(plan, failures)
    other = augmented(plan, failures, seed=8)
    assert [r.question for r in other] != [r.question for r in augmented(plan, failures)]


def test_another_examination_gives_other_records(plan: Plan) -> None:
    failures = [missed_title(plan), missed_absent()]
    first, second = augmented(plan, failures, 1), augmented(plan, failures, 2)
    assert [r.question for r in first] != [r.question for r in second]
    assert not {r.id for r in first} & {r.id for r in second}
