"""Answers are learnt behind their moments, and told without them."""

from pathlib import Path

import pytest
from tiny_nkr import publish_tiny, record

from training.answerer import Answer
from training.backbone import Backbone
from training.generate import Generator
from training.moments import learnt, told
from training.mount import mount
from training.rack import Rack
from training.sft import SFTSettings, train

pytest_plugins = ("tiny_nkr",)

WHOLE = [(0.0, 40.0)]
LATER = record("Which title is last?", "End", spans=[(30.0, 40.0)], fact_ids=["e"])
SAID = record("Who rang?", "Zoë", "open/who", spans=[(4.2, 9.0)], fact_ids=["z"])


def answer_learnt(question: str, answer: str, form: str = "open/title", **other: object) -> str:
    other = {"spans": [(22.0, 30.0)], "fact_ids": ["t"], **other}
    return learnt([LATER, SAID, record(question, answer, form, **other)])[-1]


def test_what_lies_at_a_moment_is_learnt_behind_it() -> None:
    assert answer_learnt("What colour is The Lamp?", "grey") == "[00:22] grey"
    assert answer_learnt("What is it? A) red B) grey", "grey", "choice/colour") == "[00:22] grey"
    hour = {"spans": [(3723.4, 3730.0)]}
    assert answer_learnt("What colour is The Lamp?", "grey", **hour) == "[1:02:03] grey"


def test_what_is_asked_from_elsewhere_is_learnt_behind_both_moments() -> None:
    question = "Which title comes after Zoë is named?"
    both = {"fact_ids": ["t", "z"]}
    assert answer_learnt(question, "The Lamp", **both) == "[00:04] [00:22] The Lamp"
    unknown = {"fact_ids": ["t", "nobody"]}
    assert answer_learnt(question, "The Lamp", **unknown) == "[00:22] The Lamp"
    same = {"fact_ids": ["t", "z"], "spans": [(4.9, 9.0)]}
    assert answer_learnt(question, "The Lamp", **same) == "[00:04] The Lamp"


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("When is the lamp shown?", "00:22", {}),
        ("How many slides are there?", "3", {"spans": WHOLE}),
        ("How long is it?", "40 seconds", {"spans": []}),
        ("When is it red?", "first and last", {"spans": [(0.0, 9.0), (30.0, 40.0)]}),
        ('Which is first, "the lamp" or End?', "The Lamp", {"fact_ids": ["t", "e"]}),
        ("Is it red?", "grey, so no", {"form": "yesno/colour"}),
        ("Who is Anna?", "The video does not show that.", {"kind": "absent", "form": "absent/who"}),
        ("Describe it.", "A lamp.", {"kind": "description", "form": "open/shot"}),
    ],
)
def test_what_lies_at_no_moment_is_learnt_as_it_is(
    question: str, answer: str, other: dict[str, object]
) -> None:
    assert answer_learnt(question, answer, **other) == answer  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("[00:22] grey", "grey"),
        ("[00:04] [1:00:22] The Lamp", "The Lamp"),
        ("00:22", "00:22"),
        ("The Lamp [00:22]", "The Lamp [00:22]"),
        ("[00:22]", "[00:22]"),
        ("[sic] grey", "[sic] grey"),
    ],
)
def test_an_answer_is_told_without_its_moments(said: str, text: str) -> None:
    assert told(Answer(said, -0.1, 5, 0.2)) == Answer(text, -0.1, 5, 0.2)


def test_moments_are_in_the_weights_and_in_no_answer(backbone: Backbone, tmp_path: Path) -> None:
    taught = [
        record("What is the title at 00:05?", "The Lamp", spans=[(3.0, 9.0)], fact_ids=["t"]),
        record("Who carried the lamp?", "Zoë Lindqvist 灯", spans=[(9.0, 20.0)], fact_ids=["z"]),
    ]
    questions = [one.question for one in taught]
    settings = SFTSettings(epochs=120, learning_rate=1e-2, moments=True)
    trained = train(backbone, taught, tmp_path, settings)
    nkr = publish_tiny(tmp_path / "nkrs" / "talk", trained, backbone)
    mounted = mount(backbone, nkr)
    assert [told.text for told in mounted.answer(questions)] == [one.answer for one in taught]
    raw = Generator(backbone, mounted._answerer._model).answer(questions)
    assert [told.text for told in raw] == ["[00:03] The Lamp", "[00:09] Zoë Lindqvist 灯"]
    rack = Rack(backbone)
    assert [told.text for told in rack.of(nkr).answer(questions)] == [one.answer for one in taught]
    rack.close()


def test_without_them_answers_are_learnt_as_they_are(backbone: Backbone, tmp_path: Path) -> None:
    taught = [record("What is the title?", "The Lamp", spans=[(3.0, 9.0)], fact_ids=["t"]), LATER]
    settings = SFTSettings(epochs=120, learning_rate=1e-2)
    trained = train(backbone, taught, tmp_path, settings)
    mounted = mount(backbone, trained.adapter)
    (raw,) = Generator(backbone, mounted._answerer._model).answer([taught[0].question])
    assert raw.text == "The Lamp"
