"""Calibrated confidence: rewordings, the fit, the threshold, its error, and nkr.json."""

import hashlib
import json
import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from pydantic import ValidationError
from tiny_nkr import record

from training.answerer import Answer, Moments
from training.calibration import (
    LEAST_CONFIDENCE,
    Calibration,
    Doubted,
    ask_again,
    auroc,
    expected_calibration_error,
    fit,
    rewordings,
)
from training.corpus import REFUSAL, Record
from training.manifest import MadeFor, Manifest, Taught, Video, from_bytes, to_bytes

NAN = float("nan")


class Scripted:
    """An answerer that replies from a queue and notes what it was asked, call by call."""

    def __init__(self, *texts: str) -> None:
        self.queue = [Answer(text, -0.1, 3, 0.0) for text in texts]
        self.calls: list[list[str]] = []

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        self.calls.append(list(questions))
        return [self.queue.pop(0) for _ in questions]


def doubted(text: str, logprob: float, agreement: float = 1.0) -> Doubted:
    return Doubted(Answer(text, logprob, 4, 0.0), agreement)


def asked(
    *found: tuple[str, Doubted], split: str = "calibrate"
) -> tuple[list[Record], list[Doubted]]:
    """Records whose answer is given (the refusal makes an absent one), and what was answered."""
    records = [
        record(str(i), answer, "absent/other" if answer == REFUSAL else "open/title", split=split)
        for i, (answer, _) in enumerate(found)
    ]
    return records, [answered for _, answered in found]


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("What is shown at 00:30?", "what is shown at 00:30?"),
        ("What's red?", "what's red?"),
        ("Marta Lindqvist said what?", "Marta Lindqvist said what?"),
        ("WHO was named when?", "WHO was named when?"),
        ("Whatever Works is shown when?", "Whatever Works is shown when?"),
        ('"The Lamp" is shown when?', '"The Lamp" is shown when?'),
        ("Will Smith says what?", "Will Smith says what?"),
        ("  Is {x} red?\nA) yes\nB) no ", "is {x} red?\nA) yes\nB) no"),
        ("I", "I"),
        ("?", "?"),
    ],
)
def test_rewordings_keep_the_words_of_a_question(question: str, kept: str) -> None:
    wordings = rewordings(question)
    assert len({question, *wordings}) == 4
    assert all(wording.endswith(kept) for wording in wordings)
    assert wordings == rewordings(question)


def test_agreement_is_the_share_of_rewordings_answered_alike() -> None:
    answerer = Scripted(
        *("The Lamp", "the lamp.", "A kettle", "Lamp"),
        *(REFUSAL, REFUSAL, REFUSAL, REFUSAL.lower()),
        *("Red", REFUSAL, "blue", "green"),
    )
    found = ask_again(answerer, ["What is the title?", "Where?", "Which colour?"])
    assert [one.answer.text for one in found] == ["The Lamp", REFUSAL, "Red"]
    assert [one.agreement for one in found] == pytest.approx([2 / 3, 1, 0])


def test_all_wordings_are_asked_in_one_call() -> None:
    answerer = Scripted(*["Yes"] * 8)
    ask_again(answerer, ["Who?", "What?"])
    assert answerer.calls == [["Who?", *rewordings("Who?"), "What?", *rewordings("What?")]]
    assert ask_again(answerer, []) == []


def test_the_fit_tells_right_answers_from_wrong_ones() -> None:
    right = [("Lamp", doubted("lamp", -0.01 * i, 1.0)) for i in range(15)]
    wrong = [("Lamp", doubted("kettle", -1 - 0.01 * i, 1 / 3)) for i in range(15)]
    calibration = fit(*asked(*right, *wrong))
    assert calibration.count == 30
    assert calibration.coefficients is not None
    high = [calibration.confidence(found.answer, found.agreement) for _, found in right]
    low = [calibration.confidence(found.answer, found.agreement) for _, found in wrong]
    assert min(high) > 0.8
    assert max(low) < 0.2


def at_moment(text: str, logprob: float) -> Doubted:
    return Doubted(Answer(text, -0.2, 4, 0.0, Moments(8, 5, logprob)), 1.0)


def test_the_fit_weighs_each_feature() -> None:
    """One thing differs at a time: agreement, length, the moment, its probability, the refusal."""
    for right, wrong in (
        (Doubted(Answer("lamp", -0.2, 4, 0.0), 1.0), Doubted(Answer("no", -0.2, 4, 0.0), 0.0)),
        (Doubted(Answer("lamp", -0.2, 2, 0.0), 1.0), Doubted(Answer("no", -0.2, 30, 0.0), 1.0)),
        (at_moment("lamp", -0.1), at_moment("no", -3.0)),
        (at_moment("lamp", -1.0), doubted("no", -0.2, 1.0)),
        (doubted("lamp", -0.2, 1.0), doubted(REFUSAL, -0.2, 1.0)),
    ):
        calibration = fit(*asked(*[("Lamp", right), ("Lamp", wrong)] * 20))
        assert calibration.confidence(right.answer, right.agreement) > 0.9
        assert calibration.confidence(wrong.answer, wrong.agreement) < 0.1


def test_the_fit_is_calibrated_where_the_features_say_nothing() -> None:
    found = [("Lamp", doubted("lamp" if i % 4 else "kettle", -0.5)) for i in range(40)]
    assert fit(*asked(*found)).confidence(found[0][1].answer, 1.0) == pytest.approx(0.75, abs=1e-3)


def test_absent_questions_beyond_their_share_lower_no_confidence() -> None:
    """Asked to find the threshold, they say nothing of how often a user asks what is absent."""
    shown = [("Lamp", doubted("lamp" if i % 5 else "no", -0.02 * i)) for i in range(40)]
    absent = [(REFUSAL, doubted("lamp", -0.01 * i)) for i in range(8)]
    few, many = (fit(*asked(*shown, *absent * times)) for times in (1, 6))
    alike = pytest.approx(few.confidence(shown[1][1].answer, 1.0), abs=0.01)
    assert many.confidence(shown[1][1].answer, 1.0) == alike
    assert (few.count, many.count) == (48, 88)


def test_refusals_are_right_where_nothing_is_shown_and_wrong_elsewhere() -> None:
    absent = [(REFUSAL, doubted(REFUSAL, -0.1, 1.0))] * 15
    shown = [("Lamp", doubted(REFUSAL, -2.0, 0.0))] * 15
    calibration = fit(*asked(*absent, *shown))
    assert calibration.confidence(absent[0][1].answer, 1.0) > 0.8
    assert calibration.confidence(shown[0][1].answer, 0.0) < 0.2


def false_answers(calibration: Calibration, absent: Sequence[Doubted]) -> float:
    answered = [
        found.answer.text != REFUSAL
        and calibration.confidence(found.answer, found.agreement) >= calibration.threshold
        for found in absent
    ]
    return sum(answered) / len(answered)


@pytest.mark.parametrize("absent_asked", [1, 7, 19, 20, 40, 60])
def test_the_threshold_holds_false_answers_and_no_smaller_one_does(absent_asked: int) -> None:
    right = [("Lamp", doubted("lamp", -0.02 * i)) for i in range(30)]
    made_up = [(REFUSAL, doubted("kettle", -0.3 - 0.02 * i, 0.5)) for i in range(absent_asked)]
    calibration = fit(*asked(*right, *made_up))
    absent = [found for _, found in made_up]
    assert calibration.threshold > 0
    assert false_answers(calibration, absent) <= 0.05
    lower = calibration.model_copy(update={"threshold": calibration.threshold - 0.0002})
    assert false_answers(lower, absent) > 0.05


def test_at_the_prior_the_threshold_can_be_worked_out_by_hand() -> None:
    # Two of 40 may be answered, so the third in rank must go; of 13 none may.
    made_up = [(REFUSAL, doubted("kettle", math.log(p))) for p in (0.9, 0.5, 0.7)]
    all_wrong = fit(*asked(*made_up, *[(REFUSAL, doubted("lamp", math.log(0.4)))] * 37))
    assert (all_wrong.coefficients, all_wrong.threshold) == (None, 0.5001)
    few = fit(*asked(*made_up, *[(REFUSAL, doubted(REFUSAL, -0.1))] * 10))
    assert (few.coefficients, few.threshold) == (None, 0.9001)
    certain = fit(*asked((REFUSAL, doubted("kettle", 0.0))))
    assert certain.confidence(Answer("kettle", 0.0, 4, 0.0), 1.0) < certain.threshold


def test_where_refusals_hold_it_only_what_is_hardly_trusted_is_abstained_from() -> None:
    made_up = [(REFUSAL, doubted("kettle", -0.01))]
    refused = [(REFUSAL, doubted(REFUSAL, -0.1))] * 19
    fitted = fit(*asked(*made_up, *refused))
    assert fitted.coefficients is not None
    assert fitted.threshold == LEAST_CONFIDENCE
    assert fit(*asked(*made_up, *refused[:18])).threshold > LEAST_CONFIDENCE
    few = fit(*asked(*refused))
    assert (few.coefficients, few.threshold) == (None, 0)
    wrong = [("Lamp", doubted("kettle", -0.01))] * 30
    assert fit(*asked(*wrong)).threshold == 0


@pytest.mark.parametrize("text", ["lamp", "kettle"])
def test_with_one_class_only_confidence_is_the_prior(text: str) -> None:
    calibration = fit(*asked(*[("Lamp", doubted(text, -0.3 - 0.01 * i)) for i in range(30)]))
    assert calibration.coefficients is None
    assert calibration.count == 30
    assert calibration.confidence(Answer("x", -0.5, 9, 0.0), 0.0) == pytest.approx(0.6065)
    # Rounding may leave a certain answer a little above 0.
    assert calibration.confidence(Answer("x", 1e-3, 9, 0.0), 1.0) == 1


def test_with_few_records_or_none_confidence_is_the_prior() -> None:
    few = [("Lamp", doubted("lamp", -0.1)), ("Lamp", doubted("kettle", -2.0))]
    assert fit(*asked(*few)).coefficients is None
    assert fit(*asked(*few * 10)).coefficients is not None
    assert fit([], []) == Calibration()


def test_what_is_no_number_neither_teaches_nor_counts() -> None:
    right = [("Lamp", doubted("lamp", -0.1)), ("Lamp", doubted("lamp", NAN))] * 15
    wrong = [("Lamp", doubted("kettle", -2.0, 0.0)), (REFUSAL, doubted("x", -math.inf))] * 15
    calibration = fit(*asked(*right, *wrong))
    assert calibration.count == 30
    assert calibration.confidence(Answer("x", NAN, 4, 0.0), 1.0) == 0
    assert calibration.confidence(Answer("x", -0.1, 4, 0.0), 1.0) > 0.5
    assert calibration.threshold == LEAST_CONFIDENCE
    assert fit(*asked(*[("Lamp", doubted("lamp", NAN))] * 30)) == Calibration()


def test_other_splits_and_what_has_no_right_answer_are_passed_over() -> None:
    records, found = asked(*[("Lamp", doubted("lamp", -0.1))] * 12)
    others, also = asked(*[("Lamp", doubted("kettle", -2.0))] * 12, split="check")
    told = [record("q", "A lamp.", f"{c}/x", split="calibrate") for c in ("summary", "statement")]
    found = [*found, *also, *[doubted("A kettle.", -2.0)] * 12]
    assert fit([*records, *others, *told * 6], found) == Calibration(count=12)


@pytest.mark.parametrize(
    ("form", "expected", "wrong"),
    [
        ("open/title", "The Lamp", "kettle"),
        ("list/titles", "Lamp; Kettle", "lamp"),
        ("yesno/title", "Yes", "No"),
        ("choice/title", "Lamp", "A"),
        ("absent/other", REFUSAL, "kettle"),
    ],
)
def test_every_kind_with_a_right_answer_is_learned_from(
    form: str, expected: str, wrong: str
) -> None:
    asked = [f"{i}? A) Kettle B) Lamp" for i in range(40)]
    records = [record(question, expected, form, split="calibrate") for question in asked]
    found = [doubted(expected, -0.1), doubted(wrong, -2.0, 0.0)] * 20
    calibration = fit(records, found)
    assert calibration.count == 40
    assert calibration.confidence(found[0].answer, 1.0) > 0.9
    assert calibration.confidence(found[1].answer, 0.0) < 0.1


def test_confidence_stays_between_0_and_1_and_rises_with_agreement() -> None:
    calibration = Calibration(coefficients=(50.0, 10.0, 4.0), intercept=1.0)
    for logprob in (0.0, -1e-3, -1.0, -1e6):
        values = [calibration.confidence(Answer("x", logprob, 3, 0.0), a / 3) for a in range(4)]
        assert all(0 <= low <= high <= 1 for low, high in pairwise(values))
    # 1 + 4 - (50 + 3 * 10) * 0.05 = 1
    assert calibration.confidence(Answer("x", -0.05, 3, 0.0), 1.0) == pytest.approx(0.7311)


def test_the_error_of_perfect_confidence_is_0() -> None:
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0
    assert expected_calibration_error([], []) is None


def test_the_error_of_too_much_confidence_is_the_gap() -> None:
    right = [True, False, False, False]
    assert expected_calibration_error([0.95] * 4, right) == pytest.approx(0.70)
    # Bin (0.8, 0.9]: mean 0.85, half right, gap 0.35. Bin (0.2, 0.3]: mean 0.3, none, gap 0.3.
    mixed = expected_calibration_error([0.8001, 0.8999, 0.3], [True, False, False])
    assert mixed == pytest.approx((2 * 0.35 + 0.3) / 3)
    # In one bin the gaps of 0.95 and 0.05 cancel out.
    assert expected_calibration_error([0.95, 0.05], [False, True]) == pytest.approx(0.95)
    assert expected_calibration_error([0.95, 0.05], [False, True], bins=1) == pytest.approx(0)


def test_bins_are_closed_above() -> None:
    # 0.5 lies with 0.45 in (0.4, 0.5], where one gap makes good the other; not with 0.55.
    assert expected_calibration_error([0.45, 0.5], [True, False]) == pytest.approx(0.05 / 2)
    assert expected_calibration_error([0.55, 0.5], [True, False]) == pytest.approx(0.95 / 2)


def test_auroc_is_how_often_right_stands_above_wrong() -> None:
    assert auroc([0.9, 0.2, 0.5, 0.4], [True, True, False, False]) == pytest.approx(0.5)
    assert auroc([0.9, 0.6, 0.5], [True, True, False]) == 1
    assert auroc([0.9, 0.6], [True, True]) is None
    assert auroc([], []) is None


def manifest(calibration: Calibration | None = None) -> Manifest:
    return Manifest(
        created="2026-11-20T10:00:00+00:00",
        video=Video(name="talk.mp4", sha256="0" * 64, seconds=12.5, width=480, height=270),
        backbone=MadeFor(name="tiny", revision="0" * 64),
        corpus=Taught(sha256="0" * 64, counts={}),
        scores={},
        calibration=calibration,
        seed=0,
        versions={},
        files={},
    )


def test_nkr_json_holds_a_calibration_to_the_last_digit() -> None:
    calibration = Calibration(
        coefficients=(1 / 3, -0.1, 2e-17), intercept=-math.pi, threshold=0.4321, count=40
    )
    assert from_bytes(to_bytes(manifest(calibration))).calibration == calibration
    prior = Calibration(threshold=1.0001)
    assert from_bytes(to_bytes(manifest(prior))).calibration == prior


def test_nkr_json_without_a_calibration_is_read() -> None:
    assert from_bytes(to_bytes(manifest())).calibration is None


@pytest.mark.parametrize(("kept", "is_read"), [("null", True), ("0.5", False)])
def test_nkr_json_from_before_calibrations_is_read(kept: str, is_read: bool) -> None:
    raw = to_bytes(manifest())
    opened = raw.replace(json.loads(raw)["seal"].encode(), b"-" * 64)
    old = opened.replace(b'"calibration": null', f'"threshold": {kept}'.encode())
    seal = hashlib.sha256(old.replace(b"-" * 64, b"0" * 64)).hexdigest()
    old = old.replace(b"-" * 64, seal.encode())
    if is_read:
        assert from_bytes(old) == manifest().model_copy(update={"seal": seal})
    else:
        with pytest.raises(ValueError, match="threshold"):
            from_bytes(old)


@pytest.mark.parametrize(
    "wrong", [{"intercept": NAN}, {"coefficients": (1, 2)}, {"threshold": -1}, {"other": 1}]
)
def test_a_calibration_of_another_shape_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Calibration.model_validate(wrong)
