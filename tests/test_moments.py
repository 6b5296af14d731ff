"""Answers are learnt behind their moments, and told without them."""

from pathlib import Path
from statistics import fmean

import pytest
from tiny_nkr import publish_tiny, record

from training.answerer import Answer
from training.backbone import Backbone
from training.generate import Generator
from training.moments import learnt, moments_of, told
from training.mount import mount
from training.rack import Rack
from training.sft import SFTSettings, train

pytest_plugins = ("tiny_nkr",)

WHOLE = [(0.0, 40.0)]
LATER = record("Which title is last?", "End", spans=[(30.0, 40.0)], fact_ids=["e"])


def answer_learnt(question: str, answer: str, form: str = "open/title", **other: object) -> str:
    other = {"spans": [(22.0, 30.0)], "fact_ids": ["t"], **other}
    return learnt([LATER, record(question, answer, form, **other)])[-1]


def test_what_lies_at_a_moment_is_learnt_behind_it() -> None:
    assert answer_learnt("What colour is The Lamp?", "grey") == "[00:22] grey"
    assert answer_learnt("What is it? A) red B) grey", "grey", "choice/colour") == "[00:22] grey"
    assert answer_learnt("Is it red?", "grey, so no", "yesno/colour") == "[00:22] grey, so no"
    hour = {"spans": [(3723.4, 3730.0)]}
    assert answer_learnt("What colour is The Lamp?", "grey", **hour) == "[1:02:03] grey"


def test_what_is_asked_from_elsewhere_is_learnt_behind_the_way_to_it() -> None:
    question = "Which title comes after Zoë is named?"
    way = {"fact_ids": ["t", "z"], "anchors": [(4.2, 9.0), (2.0, 22.0)]}
    assert answer_learnt(question, "The Lamp", **way) == "[00:04] [00:02] [00:22] The Lamp"
    same = {**way, "anchors": [(22.4, 30.0), (22.0, 30.0)]}
    assert answer_learnt(question, "The Lamp", **same) == "[00:22] The Lamp"
    assert answer_learnt(question, "The Lamp", fact_ids=["t", "z"]) == "[00:22] The Lamp"


def test_a_part_of_the_records_is_learnt_as_it_is_among_all() -> None:
    joined = record("What comes after Zoë?", "The Lamp", spans=[(22.0, 30.0)], fact_ids=["t", "z"])
    of_part = record("What colour is it?", "grey", spans=[(0.0, 28.0)], fact_ids=["c"])
    known = [LATER, joined, of_part]
    assert learnt([joined, of_part], known) == learnt(known)[1:]


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("When is the lamp shown?", "00:22", {}),
        ("How many slides are there?", "3", {"spans": WHOLE}),
        ("How long is it?", "40 seconds", {"spans": []}),
        ("When is it red?", "first and last", {"spans": [(0.0, 9.0), (30.0, 40.0)]}),
        ('Which is first, "the lamp" or End?', "The Lamp", {"fact_ids": ["t", "e"]}),
        ("Is it before End?", "Yes", {"form": "yesno/order", "fact_ids": ["t", "e"]}),
        ("Who is Anna?", "The video does not show that.", {"kind": "absent", "form": "absent/who"}),
        ("Describe it.", "A lamp.", {"kind": "description", "form": "open/shot"}),
    ],
)
def test_what_lies_at_no_moment_is_learnt_as_it_is(
    question: str, answer: str, other: dict[str, object]
) -> None:
    assert answer_learnt(question, answer, **other) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["[", "00", ":", "22", "]", " grey", "."], "grey."),
        (["[00:04", "] [", "1:00:22", "] ", "The", " Lamp"], "The Lamp"),
        (["00:22"], None),
        (["The Lamp [", "00:22", "]"], None),
        (["[", "00:22", "]"], None),
        (["[", "sic] ", "grey"], None),
    ],
)
def test_an_answer_is_told_without_its_moments(tokens: list[str], text: str | None) -> None:
    said = "".join(tokens)
    logprobs = [-0.1 * place for place in range(len(tokens))]
    moments = moments_of(said, logprobs, lambda count: "".join(tokens[:count]))
    answer = Answer(said, fmean(logprobs), len(tokens), 0.2, moments)
    if text is None:
        assert moments is None
        assert told(answer) == answer
        return
    assert moments
    assert said[moments.length :] == text
    assert "".join(tokens[: moments.tokens]).rstrip().endswith("]")
    rest = logprobs[moments.tokens :]
    assert moments.logprob == pytest.approx(sum(logprobs) - sum(rest))
    assert told(answer) == Answer(text, pytest.approx(fmean(rest)), len(rest), 0.2, moments)  # type: ignore[arg-type]


def test_an_engine_that_tells_no_log_probabilities_still_has_moments_cut_off() -> None:
    moments = moments_of("[00:22] grey", [], lambda _: "")
    assert moments
    assert told(Answer("[00:22] grey", 0.0, 1, 0.2, moments)).text == "grey"


def test_moments_are_in_the_weights_and_in_no_answer(backbone: Backbone, tmp_path: Path) -> None:
    taught = [
        record("What is the title at 00:05?", "The Lamp", spans=[(3.0, 9.0)], fact_ids=["t"]),
        record("Who carried the lamp?", "Zoë Lindqvist 灯", spans=[(9.0, 20.0)], fact_ids=["z"]),
    ]
    questions = [one.question for one in taught]
    settings = SFTSettings(epochs=120, learning_rate=1e-2)
    trained = train(backbone, taught, tmp_path, settings)
    nkr = publish_tiny(tmp_path / "nkrs" / "talk", trained, backbone)
    assert nkr.manifest.moments
    answers = [one.answer for one in taught]
    mounted = mount(backbone, nkr)
    assert [told.text for told in mounted.answer(questions)] == answers
    raw = Generator(backbone, mounted._answerer._model).answer(questions)
    learnt = ["[00:03] The Lamp", "[00:09] Zoë Lindqvist 灯"]
    assert [told.text for told in raw] == learnt
    for before, after in zip(raw, mounted.answer(questions), strict=True):
        moments = before.moments
        assert moments
        assert moments == after.moments
        assert moments.logprob < 0
        whole = moments.logprob + after.logprob * after.tokens
        assert before.logprob * before.tokens == pytest.approx(whole, rel=1e-4)
    # The answers of other NKRs may begin so themselves.
    other = publish_tiny(tmp_path / "nkrs" / "other", trained, backbone, moments=False)
    rack = Rack(backbone)
    assert [told.text for told in rack.of(nkr).answer(questions)] == answers
    assert [told.text for told in rack.of(other).answer(questions)] == learnt
    rack.close()
    assert [told.text for told in mount(backbone, other).answer(questions)] == learnt


def test_without_them_answers_are_learnt_as_they_are(backbone: Backbone, tmp_path: Path) -> None:
    taught = [record("What is the title?", "The Lamp", spans=[(3.0, 9.0)], fact_ids=["t"]), LATER]
    settings = SFTSettings(epochs=120, learning_rate=1e-2, moments=False)
    trained = train(backbone, taught, tmp_path, settings)
    assert not trained.moments
    mounted = mount(backbone, trained.adapter)
    (raw,) = Generator(backbone, mounted._answerer._model).answer([taught[0].question])
    assert raw.text == "The Lamp"
