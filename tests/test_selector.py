"""Choosing one of many videos by what they show and say."""

from agents.selector import Selector

TEXTS = {
    "harbour": ["The harbour", "Tom counted nine boats at the quay."],
    "kitchen": ["The kettle", "Nine cups stood on the shelf.", "Tom boiled water."],
    "empty": [],
}


def test_the_video_with_the_questions_words_is_nearest() -> None:
    selector = Selector(TEXTS)
    for question, video in (
        ("How many boats did he count?", "harbour"),
        ("how many cups, please?", "kitchen"),
        ("Where is the kettle?", "kitchen"),
    ):
        scores = selector.scores(question)
        assert max(scores, key=lambda one: scores[one]) == video


def test_words_that_many_videos_have_count_less() -> None:
    scores = Selector(TEXTS).scores("Did Tom see a boat?")
    assert scores["harbour"] > scores["kitchen"] > 0


def test_a_question_without_known_words_favours_none() -> None:
    assert Selector(TEXTS).scores("Who is it?") == {}
    assert Selector({}).scores("Tom?") == {}
