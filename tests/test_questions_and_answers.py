"""What the router makes of a question before it is asked, and of an answer before it is told."""

import pytest

from agents.embedded.answer_kinds import fits
from agents.embedded.plain_question import plain
from agents.embedded.small_talk import HELLO, THANKS, small_talk


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who built it?", "Ingrid Solbakken"),
        ("Who built it and when?", "1847"),
        ("The woman who built it did so in what year?", "1847"),
        ("Of the people who come, how many stay?", "9000"),
        ("Whose number is shown?", "42"),
        ("Who scored, 7 or 9?", "7"),
        ("How tall is the tower?", "38 metres"),
        ("How thick is the ice?", "a metre"),
        ("How large is Titan?", "larger than Mercury"),
        ("How old is she?", "in her forties"),
        ("How high was the fever?", "39.5"),
        ("How many families kept it?", "five"),
        ("How many came?", "a lot"),
        ("How many seconds in does it come?", "00:13"),
        ("How many hours long is it?", "01:00"),
        ("How long is the video?", "01:00"),
        ("What year was it opened?", "nineteen forty"),
        ("When was it opened?", "In the spring"),
        ("Where in the video is the bell named?", "00:44"),
        ("Is it red?", "pink, so no"),
        ("Is it red?", "It is red."),
        ("Is it red?", "Correct."),
        ("Is it A) red B) blue?", "B) blue"),
        ("Isn\u2019t it red?", "Yes"),
        ("Is it red or blue?", "blue"),
        ("Do you know, the colour of the slide?", "red"),
        ("Can anyone tell me the title?", "The Lamp"),
        ("Does the speaker name the builder?", "Ingrid Solbakken"),
        ("Do they give a name to the museum?", "Hannah Museum"),
        ("What I would like to know is, can one read that?", "no"),
        ("When it goes on, tell me whether it is red?", "red, so yes"),
        ('Is "Who built it" the title?', "Yes"),
        ("Was it built by Marta?", "Ingrid Solbakken built it"),
    ],
)
def test_what_may_be_an_answer_fits(question: str, answer: str) -> None:
    assert fits(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who built it?", "00:44"),
        ("Who built it?", "1847"),
        ("How tall is the tower?", "Veldra Island"),
        ("How old is Marta?", "00:38"),
        ("How high was the storm?", "1891"),
        ("How heavy is the bell?", "every 20 seconds"),
        ("When was the lamp made?", "27 kilometres"),
        ("How many families kept it?", "the keepers"),
        ("What year did it open?", "Veldra Island"),
        ("How high is the rock?", "27 metres, so no"),
        ("Did Marta build it?", "Marta Quill"),
        ("Wasn't it the storm?", "tower"),
    ],
)
def test_what_is_surely_of_another_kind_does_not(question: str, answer: str) -> None:
    assert not fits(question, answer)


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("WHO BUILT THE FIRST TOWER?", "Who built the first tower?"),
        ("What is shown at 0:30?", "What is shown at 00:30?"),
        ("What is shown at 30 seconds?", "What is shown at 00:30?"),
        ("What is shown at about 30 seconds?", "What is shown at 00:30?"),
        ("What is said around 1 minute and 20 seconds?", "What is said around 01:20?"),
        ("What is said at 1m20s?", "What is said at 01:20?"),
        ("What is said at minute 62?", "What is said at 1:02:00?"),
    ],
)
def test_moments_are_written_as_clocks_and_nobody_shouts(question: str, read: str) -> None:
    assert plain(question) == read


@pytest.mark.parametrize(
    "question",
    [
        "What is shown at 1:00:30?",
        "What is shown at minute 01:30?",
        "What is shown at second 00:04?",
        "What is shown at 30 seconds before the end?",
        "What rings at 5 minutes to midnight?",
        "How fast is it at 9.8 seconds?",
        "What happens to dough after 10 minutes?",
        "What does John 3:16 say?",
        "What opens at 5:30 pm?",
        "Who works at NASA?",
    ],
)
def test_what_is_no_moment_stays(question: str) -> None:
    assert plain(question) == question


@pytest.mark.parametrize(
    "said",
    [
        "Hello!",
        "hi there",
        "Who are you?",
        "good morning",
        "help",
        "hi, how are you?",
        "Hello hello",
        "...",
    ],
)
def test_a_greeting_is_greeted(said: str) -> None:
    assert small_talk(said) == HELLO


@pytest.mark.parametrize("said", ["thanks a lot", "OK", "ok thanks!", "Great, thanks!", "Goodbye"])
def test_thanks_are_taken(said: str) -> None:
    assert small_talk(said) == THANKS


@pytest.mark.parametrize(
    "said",
    ["Hello, who built it?", "Who are you talking about?", "?", "", "Great Wall", "testtest"],
)
def test_what_asks_something_is_no_small_talk(said: str) -> None:
    assert small_talk(said) is None
