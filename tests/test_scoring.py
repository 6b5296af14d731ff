"""Which answers count as right, and what an examination's figures mean."""

import pytest
from tiny_nkr import record

from training.answerer import Answer
from training.corpus import REFUSAL
from training.scoring import fold, is_refusal, is_right, list_f1, options, score, times, verdict

SPANS = {"spans": [(12.0, 15.5), (3600.0, 3603.0)]}
WHEN = record("When is the lamp shown?", "00:12; 1:00:00", "list/when_title", **SPANS)
OPTIONS = "Which colour is it? A) red B) dark blue C) the A) team D) green"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Lamp", "the lamp."),
        ("THE LAMP!", "“lamp”"),
        ("A red kettle", "an red, kettle"),
        ("Straße", "STRASSE"),
        ("Zoe\u0308", "ZOË"),
        ("\uff2e\uff21\uff33\uff21", "nasa"),
        ("don't", "don\u2019t"),
        ("1,000 people", "1000 people"),
        ("well-known", "well known"),
        ("  two\n lines ", "two lines"),
        ("ﬁne", "fine"),
        ("灯。", "灯"),
    ],
)
def test_what_does_not_matter_is_folded_away(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5", "35"),
        ("12:30", "1230"),
        ("10%", "10"),
        ("The", "A"),
        ("+", "-"),
        ("1,5", "15"),
        ("lamp", "lamps"),
        ("", "a"),
    ],
)
def test_what_matters_is_kept(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_an_open_answer_is_compared_whole() -> None:
    asked = record("What is the title?", "The Lamp")
    assert is_right(asked, "lamp")
    assert not is_right(asked, "The Lamp and the Kettle")
    assert not is_right(asked, "")
    assert not is_right(asked, REFUSAL)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("00:12", [12]),
        ("at 1:02:03, then 4:05.", [3723, 245]),
        ("no time", []),
        ("12:3 or 1:2:3:04", []),
        ("100:00", []),
    ],
)
def test_times_are_read(text: str, found: list[float]) -> None:
    assert times(text) == found


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("00:12", True),
        ("It starts at 00:14.", True),
        ("00:11", True),
        ("00:16", True),
        ("00:10", False),
        ("00:17", False),
        ("1:00:02", True),
        ("twelve seconds in", False),
    ],
)
def test_a_time_is_right_within_a_second_of_a_span(answer: str, right: bool) -> None:
    asked = record("When is the lamp shown?", "00:12", "open/when_title", **SPANS)
    assert is_right(asked, answer) is right


@pytest.mark.parametrize("form", ["open/when", "open/when_said"])
def test_a_when_that_asks_for_a_date_is_compared_as_text(form: str) -> None:
    asked = record("When was it built?", "1921", form, **SPANS)
    assert is_right(asked, "1921.")
    assert not is_right(asked, "00:12")


@pytest.mark.parametrize(
    ("answer", "right"),
    [("Yes", True), ("yes.", True), ("Yes, it is red.", True), ("No", False), ("", False)],
)
def test_yes_and_no(answer: str, right: bool) -> None:
    assert is_right(record("Is it red?", "Yes", "yesno/colour"), answer) is right


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("red, so yes", "yes"),
        ("No Smoking, so yes.", "yes"),
        ("Green, so NO", "no"),
        ("No, it is green", "no"),
        ("It is so yes", "it"),
    ],
)
def test_a_verdict_is_the_first_word_or_follows_from_what_was_said(answer: str, said: str) -> None:
    assert verdict(answer) == said
    assert is_right(record("Is it red?", "red, so yes", "yesno/colour"), answer) == (said == "yes")


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("B) dark blue", True),
        ("B", True),
        ("b.", True),
        ("(B) Dark Blue", True),
        ("dark blue", True),
        ("A", False),
        ("A) red", False),
        ("B) red", False),
        ("A) dark blue", False),
        ("red", False),
        ("", False),
        (REFUSAL, False),
    ],
)
def test_a_choice_may_be_named_by_letter_or_text(answer: str, right: bool) -> None:
    for expected in ("dark blue", "B) dark blue", "B"):
        assert is_right(record(OPTIONS, expected, "choice/colour"), answer) is right


def test_options_are_lettered_in_order() -> None:
    assert options(OPTIONS) == {"A": "red", "B": "dark blue", "C": "team", "D": "green"}
    assert options("Which? B) x") == {}


def test_a_list_is_a_set() -> None:
    asked = record("Which titles?", "The Lamp; Red, blue; Kettle; Harbour", "list/titles")
    assert is_right(asked, "harbour; kettle; lamp; red, blue")
    assert list_f1(asked, "- Lamp\n- Kettle\n- Kettle") == pytest.approx(2 / 3)
    assert list_f1(asked, "1. Lamp\n2. Boat") == pytest.approx(1 / 3)
    assert list_f1(asked, "") == 0
    assert list_f1(asked, REFUSAL) == 0
    assert not is_right(asked, "lamp; kettle")


def test_times_in_a_list_count_by_their_spans() -> None:
    assert list_f1(WHEN, "00:13; 1:00:01") == 1
    assert list_f1(WHEN, "00:12; 00:13") == pytest.approx(2 / 3)
    assert list_f1(WHEN, "00:12; 00:50") == pytest.approx(1 / 2)
    assert list_f1(WHEN, "never") == 0


def test_the_refusal_is_known_in_any_case() -> None:
    assert is_refusal(REFUSAL.upper().rstrip("."))
    assert not is_refusal("The video shows that.")
    asked = record("Who sang?", REFUSAL, "absent/who", kind="absent")
    assert is_right(asked, REFUSAL)
    assert not is_right(asked, "Anna")


def answers(*texts: str) -> list[Answer]:
    return [Answer(text, -0.1, 3, 0.01) for text in texts]


def test_every_kind_is_scored_apart() -> None:
    asked = [
        record("Title?", "The Lamp"),
        record("Text?", "Kettle"),
        record("Red?", "Yes", "yesno/colour"),
        record(OPTIONS, "B) dark blue", "choice/colour"),
        record("Titles?", "a1; b1", "list/titles"),
        record("Who?", REFUSAL, "absent/who", kind="absent"),
        record("Where?", REFUSAL, "absent/where", kind="absent"),
        record("Sum up.", "Long.", "summary/video"),
    ]
    found = score(asked, answers("Lamp", REFUSAL, "Yes", "B", "a1", REFUSAL, "Rome", REFUSAL))
    assert found.recall == 0.5
    assert found.yesno == 1
    assert found.choice == 1
    assert found.lists == pytest.approx(2 / 3)
    assert found.false_answers == 0.5
    assert found.false_refusals == pytest.approx(1 / 5)
    assert (found.open_asked, found.yesno_asked, found.choice_asked) == (2, 1, 1)
    assert (found.lists_asked, found.absent_asked) == (1, 2)


def test_guessing_scores_nothing() -> None:
    yesno = [record("Red?", answer, "yesno/colour") for answer in ("Yes", "No")]
    assert score(yesno, answers("Yes", "Yes")).yesno == 0
    assert score(yesno, answers("No", "Yes")).yesno == -1
    texts = ("red", "dark blue", "the A) team", "green")
    choice = [record(OPTIONS, text, "choice/colour") for text in texts]
    assert score(choice, answers(*"AAAA")).choice == pytest.approx(0)
    three = [record("Which? A) x B) y C) z", text, "choice/colour") for text in "xyz"]
    assert score(three, answers(*"BBB")).choice == pytest.approx(0)


def test_what_was_not_asked_has_no_score() -> None:
    found = score([], [])
    assert found.recall is None
    assert found.false_answers is None
    assert found.open_asked == 0


def test_each_record_needs_an_answer() -> None:
    with pytest.raises(ValueError):
        score([record("Title?", "The Lamp")], [])
