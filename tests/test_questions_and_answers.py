"""What the router makes of a question before it is asked, and of an answer before it is told."""

import pytest

from agents.embedded.answer_kinds import fits
from agents.embedded.plain_question import plain
from agents.embedded.small_talk import HELLO, THANKS, small_talk


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who built it?", "Ingrid Solbakken"),
        ("How tall is the tower?", "38 metres"),
        ("How many families kept it?", "five"),
        ("How many seconds in does it come?", "00:13"),
        ("How long is the video?", "01:00"),
        ("What year was it opened?", "1996"),
        ("When was it opened?", "In the spring"),
        ("Where in the video is the bell named?", "00:44"),
        ("Is it red?", "pink, so no"),
        ("Isn\u2019t it red?", "Yes"),
        ("Is it red or blue?", "blue"),
        ("Do you know, the colour of the slide?", "red"),
        ("Do they give a name to the museum?", "Hannah Museum"),
        ("What I would like to know is, can one read that?", "no"),
        ("When it goes on, tell me whether it is red?", "red, so yes"),
        ('Is "Who built it" the title?', "Yes"),
        ("Did the storm break it?", "It was the wave of 1891 that broke the old one down"),
    ],
)
def test_an_answer_of_the_kind_that_is_asked_for_fits(question: str, answer: str) -> None:
    assert fits(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who built it?", "00:44"),
        ("Who built it?", "1847"),
        ("How tall is the tower?", "Veldra Island"),
        ("How old is Marta?", "00:38"),
        ("How high was the storm?", "1891"),
        ("How many families kept it?", "the keepers"),
        ("What year did it open?", "Veldra Island"),
        ("How high is the rock?", "27 metres, so no"),
        ("Did Marta build it?", "Marta Quill"),
        ("Wasn't it the storm?", "tower"),
    ],
)
def test_an_answer_of_another_kind_does_not(question: str, answer: str) -> None:
    assert not fits(question, answer)


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("WHO BUILT THE FIRST TOWER?", "Who built the first tower?"),
        ("What is shown at 0:30?", "What is shown at 00:30?"),
        ("What is shown at 30 seconds?", "What is shown at 00:30?"),
        ("What is said around 1 minute and 20 seconds?", "What is said around 01:20?"),
        ("What is said at minute 62?", "What is said at 1:02:00?"),
        ("What is shown at 1:00:30?", "What is shown at 1:00:30?"),
        ("What happens to dough after 10 minutes?", "What happens to dough after 10 minutes?"),
        ("Who works at NASA?", "Who works at NASA?"),
        ("What opens at 5:30 pm?", "What opens at 5:30 pm?"),
    ],
)
def test_moments_are_written_as_clocks_and_nobody_shouts(question: str, read: str) -> None:
    assert plain(question) == read


@pytest.mark.parametrize("said", ["Hello!", "hi there", "Who are you?", "good morning", "help"])
def test_a_greeting_is_greeted(said: str) -> None:
    assert small_talk(said) == HELLO


@pytest.mark.parametrize("said", ["thanks a lot", "OK", "ok thanks!", "Goodbye"])
def test_thanks_are_taken(said: str) -> None:
    assert small_talk(said) == THANKS


@pytest.mark.parametrize(
    "said", ["Hello, who built it?", "Who are you talking about?", "?", "Great Wall"]
)
def test_what_asks_something_is_no_small_talk(said: str) -> None:
    assert small_talk(said) is None
