"""Follow-ups that are written out, and questions that lean on nothing."""

import pytest

from agents.embedded.contextualizer import contextualize
from evals.follow_ups import is_meant, items, measure
from training.corpus import REFUSAL


def test_nine_in_ten_of_the_set_ask_what_was_meant() -> None:
    found = measure()
    assert found["follow_ups"] >= 60
    assert found["right"] >= 0.9, found["wrong"]


def test_what_is_left_as_it_is_does_not_pass_for_meant() -> None:
    kept = measure(lambda asked, before, answer: asked)
    assert kept["right"] < 0.2


@pytest.mark.parametrize(
    "question",
    [
        "Who built the second tower?",
        "What is shown at 00:40?",
        'What title comes after "The Lamp"?',
        "How many shots are there?",
        "Describe the video.",
        "Which sentence mentions Bruges?",
    ],
)
def test_a_question_that_stands_alone_stays(question: str) -> None:
    before = 'What colour is the slide "The Keepers"?'
    assert contextualize(question, before, "green") == question


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        ("And at 00:24, what is said?", "At 00:24, what is said?"),
        ("Right after 00:30, what is said?", "After 00:30, what is said?"),
        ("And in which year was it built?", "In which year was the first tower built?"),
        ("So by whom was it painted?", "By whom was the first tower painted?"),
        ("But could it be climbed?", "Could the first tower be climbed?"),
        ("Also tell me how tall it is.", "Tell me how tall the first tower is?"),
        ("What does it say at 00:24?", "What does it say at 00:24?"),
        ("Is it raining at 00:30?", "Is it raining at 00:30?"),
        ("How long does it take to bake the bread?", "How long does it take to bake the bread?"),
        ("Will there be a lift?", "Will there be a lift?"),
        ("Has there been a fire?", "Has there been a fire?"),
    ],
)
def test_what_asks_something_of_its_own_is_not_put_into_the_question_before(
    asked: str, alone: str
) -> None:
    assert contextualize(asked, "Who built the first tower?", "Ingrid Solbakken") == alone


def test_without_a_question_before_nothing_changes() -> None:
    assert contextualize("  and  then? ", "", "") == "and then?"


def test_a_refusal_is_nothing_to_lean_on() -> None:
    written = contextualize("and after that?", "What is shown at 00:10?", REFUSAL)
    assert written == "What is shown after 00:10?"


def test_what_is_very_long_is_left_as_it_is() -> None:
    long = "at the " * 10_000
    assert contextualize("and it there?", long, "x") == "and it there?"
    assert contextualize(f"and {long}?", "Who?", "x").startswith("and at the")


@pytest.mark.parametrize("asked", ["?", "and", "it?", "…", "and and and", "“”", "the same?"])
def test_odd_follow_ups_are_written_somehow(asked: str) -> None:
    for item in items():
        assert contextualize(asked, item["before"], item["answer"])
    assert not is_meant({"has": ["lamp"], "lacks": []}, contextualize(asked, "Who?", ""))
