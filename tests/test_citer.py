"""Citations: evidence that has what an answer says, at the place that the question is about."""

import numpy as np
import pytest
from tiny_library import LAMP, evidence

from agents.citer import Cited, Citer
from tools.embedding import Embedder
from tools.evidence import searchable

BELL = "The bell of Lindmoor weighs 640 kilograms."
ROWS = (
    *LAMP,
    ("shot", 20.0, 30.0, "shot 3"),
    ("title", 20.0, 30.0, "The Workshop"),
    ("colour", 20.0, 30.0, "blue"),
    ("speech", 21.0, 25.0, BELL),
    ("shot", 30.0, 40.0, "shot 4"),
    ("speech", 31.0, 35.0, "Tarvald\u2019s whistle was heard by the ferry's crew."),
)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def citer(embedder: Embedder) -> Citer:
    found = evidence(ROWS)
    return Citer(found, embedder.embed([searchable(item) for item in found]))


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("What is the title at 00:05?", "The Lamp", (0.0, "The Lamp")),
        ("Who carried the lamp?", "Zoë Lindqvist 灯", (4.0, "Zoë Lindqvist 灯 carried the lamp.")),
        ("What colour is shown at 00:25?", "blue", (20.0, "blue")),
        ("What colour is shown at 00:02?", "blue", (0.0, "blue")),
        ("What colour is on the slide after The Lamp?", "red", (10.0, "red")),
        ("What colour comes after The Kettle?", "blue", (20.0, "blue")),
        ("What colour comes before The Kettle?", "blue", (0.0, "blue")),
        ("When is Lindmoor mentioned?", "00:22", (21.0, BELL)),
        ("How heavy is the bell?", "640 kilograms", (21.0, BELL)),
        ("Whose whistle was heard?", "Tarvald", (31.0, ROWS[-1][3])),
        ("Whose whistle was heard?", "Tarvald's", (31.0, ROWS[-1][3])),
        ("Whose crew heard it?", "ferry", (31.0, ROWS[-1][3])),
        ("Does the title read The Kettle at 00:12?", "Yes", (10.0, "The Kettle")),
        ("Is it red at 00:12?", "red, so yes", (10.0, "red")),
    ],
)
def test_the_evidence_that_has_the_answer_comes_first(
    citer: Citer, embedder: Embedder, question: str, answer: str, expected: tuple[float, str]
) -> None:
    first = citer.cite(question, answer, embedder.embed([f"{question} {answer}"])[0])[0]
    assert isinstance(first, Cited)
    assert (first.evidence.start, first.evidence.value) == expected


@pytest.mark.parametrize("answer", ["Anna Berg", "The video does not show that.", "17:00", ""])
def test_what_no_evidence_has_is_not_cited(citer: Citer, embedder: Embedder, answer: str) -> None:
    assert citer.cite("Who carried the lamp?", answer, embedder.embed([answer or "x"])[0]) == []


def test_a_moment_is_proved_by_what_the_question_is_about(citer: Citer, embedder: Embedder) -> None:
    vector = embedder.embed(["x"])[0]
    assert citer.cite("Hello!", "00:22", vector) == []
    assert citer.cite("When does Anna sing?", "00:22", vector) == []
    assert citer.cite("When is the title shown?", "00:22", vector)[0].evidence.kind == "title"


def test_who_is_to_be_told_is_not_asked_of_speech(citer: Citer, embedder: Embedder) -> None:
    for question in ("When is the picture blue?", "Tell me when the picture is blue."):
        cited = citer.cite(question, "00:21", embedder.embed([question])[0])
        assert [one.evidence.kind for one in cited][:1] == ["colour"]


def test_a_clock_that_is_told_is_proved_by_who_tells_it(embedder: Embedder) -> None:
    said = "The ferry to Lindmoor leaves at 8:00."
    found = evidence((*ROWS, ("shot", 40.0, 50.0, "shot 5"), ("speech", 41.0, 44.0, said)))
    citer = Citer(found, embedder.embed([searchable(item) for item in found]))
    question = "When does the ferry leave?"
    first = citer.cite(question, "8:00", embedder.embed([f"{question} 8:00"])[0])[0]
    assert first.evidence.value == said


def test_words_that_stand_elsewhere_lead_astray(citer: Citer, embedder: Embedder) -> None:
    def proofs(question: str, answer: str) -> list[Cited]:
        return citer.cite(question, answer, embedder.embed([f"{question} {answer}"])[0])

    found = proofs("Who carried the lamp?", "Zoë Lindqvist 灯")
    assert not citer.strays("Who carried the lamp?", found)
    assert not citer.strays("Who took the lamp away?", found)
    assert citer.strays("Who carried the bell?", found)
    # A sentence over a cut is near what is said in it.
    over = [
        *evidence(ROWS),
        *evidence((("speech", 8.5, 14.0, "Anna Weber polished the lantern."),)),
    ]
    cut = Citer(over, embedder.embed([searchable(item) for item in over]))
    question = "Who polished the lantern today?"
    told = cut.cite(question, "Anna Weber", embedder.embed([question])[0])
    assert told
    assert not cut.strays(question, told)
    after = proofs("What colour is on the slide after The Lamp?", "red")
    assert not citer.strays("What colour is on the slide after The Lamp?", after)


def test_names_that_stand_nowhere_are_foreign(citer: Citer) -> None:
    assert citer.is_foreign("What is said about Titan?")
    assert not citer.is_foreign("What is said about Lindmoor?")
    assert not citer.is_foreign("What is said about Lindmoor's bell?")
    assert not citer.is_foreign("Who carried the lamp?")
    assert not citer.is_foreign("Need this now, I'm late: where was I, and who carried the lamp?")


def test_a_question_leads_to_the_shot_that_it_is_about(citer: Citer, embedder: Embedder) -> None:
    question = "How much does the bell weigh?"
    assert citer.nearest(question, embedder.embed([question])[0], 1) == [2]
    assert [item.value for item in citer.of_shots({1})] == ["shot 2", "The Kettle", "red"]


def test_a_video_without_evidence_cites_nothing() -> None:
    empty = Citer([], np.zeros((0, 384), dtype=np.float32))
    vector = np.zeros(384, dtype=np.float32)
    assert empty.cite("Who?", "Tom", vector) == []
    assert empty.nearest("Who?", vector, 3) == []
