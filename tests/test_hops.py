"""The asks that join facts: each is true of its timeline, and none has a second answer."""

import os
import random
import subprocess
import sys
from collections.abc import Sequence

import pytest

from training.facts import Fact, Relation, Span
from training.wording.asks import Ask, fact_asks
from training.wording.hops import hop_asks, named
from training.wording.phrasing import word
from training.wording.timeline import Timeline

SHOTS: list[Span] = [(0.0, 10.0), (10.0, 14.0), (14.0, 20.0), (20.0, 31.0)]
TITLES = ["Rivers", "Lakes", "Seas", "Oceans"]
COLOURS = ["blue", "red", "blue", "green"]
MARTA = "Marta Lindqvist mapped the water."
VANERN = "The water of Vanern is fresh."
SALT = "Salty water fills this one."


def seen(number: int, attribute: str, value: str, *spans: Span) -> Fact:
    return Fact(id=f"f{number}", subject="shot", attribute=attribute, value=value, spans=spans)


def mention(number: int, name: str, sentence: str, *spans: Span) -> Fact:
    relation = Relation(kind="mention", slots={"type": "name"}, answer=name, sentence=sentence)
    return seen(number, "relation", name, *spans).model_copy(update={"relation": relation})


def slides() -> list[Fact]:
    """Return the titles f0 to f3 and the colours f10 to f13 of the four shots."""
    titles = [seen(i, "title", TITLES[i], span) for i, span in enumerate(SHOTS)]
    return titles + [seen(10 + i, "colour", COLOURS[i], span) for i, span in enumerate(SHOTS)]


def spoken() -> list[Fact]:
    return [
        seen(20, "speech", MARTA, (1.0, 4.0)),
        mention(21, "Marta Lindqvist", MARTA, (1.0, 4.0)),
        seen(22, "speech", VANERN, (10.5, 13.0)),
        mention(23, "Vanern", VANERN, (10.5, 13.0)),
        seen(24, "speech", SALT, (15.0, 18.0)),
        seen(25, "text", "Depth 90 m", SHOTS[1]),
    ]


def timeline(facts: Sequence[Fact], shots: Sequence[Span] = SHOTS) -> Timeline:
    return Timeline.of(facts, shots, shots[-1][1])


@pytest.fixture
def lecture() -> Timeline:
    return timeline([*slides(), *spoken()])


def asked(video: Timeline, name: str) -> list[Ask]:
    return [ask for ask in hop_asks(video) if ask.form.partition("/")[2] == name]


def answers(video: Timeline, name: str) -> dict[str, str]:
    """Return the answers of a form by what is named in the question, in order of the slots."""
    found = asked(video, name)
    by_slots = {", ".join(ask.slots[slot] for slot in sorted(ask.slots)): ask for ask in found}
    assert len(by_slots) == len(found), "one question was asked twice"
    return {slots: ask.answer for slots, ask in by_slots.items()}


@pytest.mark.parametrize(
    ("form", "marta", "vanern"),
    [
        ("said_title", "Rivers", "Lakes"),
        ("said_colour", "blue", "red"),
        ("said_next", "Lakes", "Seas"),
        ("said_previous", None, "Rivers"),
    ],
)
def test_a_name_is_joined_to_its_own_slide_and_to_those_beside(
    lecture: Timeline, form: str, marta: str | None, vanern: str
) -> None:
    expected = {"Marta Lindqvist": marta, "Vanern": vanern}
    assert answers(lecture, form) == {name: told for name, told in expected.items() if told}


def test_a_joined_ask_cites_the_facts_that_it_joins(lecture: Timeline) -> None:
    said = next(ask for ask in asked(lecture, "said_next") if ask.slots["x"] == "Vanern")
    assert (said.fact_ids, said.spans) == (("f2", "f23"), (SHOTS[2],))
    facts = {fact.id: fact for fact in lecture.facts}
    for ask in hop_asks(lecture):
        assert len(set(ask.fact_ids)) == len(ask.fact_ids)
        assert set(ask.fact_ids) <= set(facts)
        if ask.category == "open" and not ask.answer.isdigit():
            assert facts[ask.fact_ids[0]].value == ask.answer


def test_a_record_tells_the_way_that_its_question_goes(lecture: Timeline) -> None:
    said = next(ask for ask in asked(lecture, "said_next") if ask.slots["x"] == "Vanern")
    line = next(ask for ask in asked(lecture, "text_next") if ask.slots["x"] == "Depth 90 m")
    assert said.anchors == ((10.5, 13.0), SHOTS[1])
    assert line.anchors == (SHOTS[1], SHOTS[1])
    assert word(said, "train", random.Random(0)).record("a").anchors == list(said.anchors)
    beside = {
        ask.form: ask.cue.beside
        for ask in fact_asks(lecture)
        if ask.cue and (ask.form, ask.answer) in {
            ("open/title_by_after_title", "Seas"),
            ("open/colour_by_before_title", "red"),
            ("open/speech_by_after_speech", SALT),
            ("open/title_by_colour", "Lakes"),
        }
    }  # fmt: skip
    assert beside == {
        "open/title_by_after_title": SHOTS[1],
        "open/colour_by_before_title": SHOTS[2],
        "open/speech_by_after_speech": (10.5, 13.0),
        "open/title_by_colour": None,
    }
    late = [fact if fact.id != "f1" else seen(1, "title", "Lakes", (12.0, SHOTS[1][1]))
            for fact in slides()]  # fmt: skip
    after = next(ask for ask in fact_asks(timeline(late)) if ask.form == "open/title_by_after_title"
                 and ask.answer == "Seas")  # fmt: skip
    assert after.cue
    assert after.cue.beside == (12.0, SHOTS[1][1])
    for ask in fact_asks(lecture):
        anchors = word(ask, "train", random.Random(0)).record("a").anchors
        assert anchors == ([ask.cue.beside] if ask.cue and ask.cue.beside else [])


def test_nothing_follows_the_last_slide_or_goes_before_the_first() -> None:
    last = "Tonga lies in it."
    facts = [*slides(), seen(20, "speech", last, (21.0, 24.0))]
    video = timeline([*facts, mention(21, "Tonga", last, (21.0, 24.0))])
    assert answers(video, "said_previous") == {"Tonga": "Seas"}
    assert not asked(video, "said_next")


def test_a_name_that_is_said_twice_is_not_joined() -> None:
    again = seen(30, "speech", "Nobody saw Vanern again.", (21.0, 24.0))
    video = timeline([*slides(), *spoken(), again])
    for form in ("said_title", "said_colour", "said_next", "said_previous"):
        assert "Vanern" not in answers(video, form)
    assert "Marta Lindqvist" in answers(video, "said_title")


def test_a_sentence_that_is_said_twice_names_no_moment() -> None:
    spans = ((1.0, 4.0), (21.0, 24.0))
    facts = [seen(20, "speech", MARTA, *spans), mention(21, "Marta Lindqvist", MARTA, *spans)]
    video = timeline([*slides(), *facts])
    assert not named(video, facts[1])
    assert not asked(video, "said_title")


def test_a_word_in_small_letters_is_no_name(lecture: Timeline) -> None:
    assert not named(lecture, mention(40, "water", MARTA, (1.0, 4.0)))
    assert named(lecture, lecture.facts[9]) == "Marta Lindqvist"


def test_a_slide_with_two_titles_is_not_asked_for() -> None:
    second = seen(30, "title", "Ponds", SHOTS[1])
    video = timeline([*slides(), *spoken(), second])
    assert answers(video, "said_title") == {"Marta Lindqvist": "Rivers"}
    assert answers(video, "said_next") == {"Vanern": "Seas"}, "what follows Rivers is not one title"
    assert answers(video, "said_colour")["Vanern"] == "red"
    for form in ("longer", "same_colour"):
        assert not any("Lakes" in slots or "Ponds" in slots for slots in answers(video, form))


def test_a_shot_of_two_colours_is_neither_counted_nor_compared() -> None:
    second = seen(30, "colour", "white", SHOTS[0])
    video = timeline([*slides(), *spoken(), second])
    assert answers(video, "shots_in_colour") == {"red": "1", "blue": "1", "green": "1"}
    assert "Marta Lindqvist" not in answers(video, "said_colour")
    assert not any("Rivers" in slots for slots in answers(video, "same_colour"))


def test_a_line_leads_to_the_next_title(lecture: Timeline) -> None:
    assert answers(lecture, "text_next") == {"Depth 90 m": "Seas"}


def test_a_line_that_comes_again_leads_to_no_title() -> None:
    again = seen(30, "text", "depth 90 m", SHOTS[2])
    apart = seen(30, "text", "Fresh", SHOTS[0], SHOTS[2])
    assert not asked(timeline([*slides(), *spoken(), again]), "text_next")
    assert answers(timeline([*slides(), *spoken(), apart]), "text_next") == {"Depth 90 m": "Seas"}


def test_a_line_before_two_titles_or_none_leads_to_no_title() -> None:
    second = seen(30, "title", "Bays", SHOTS[2])
    untitled = [fact for fact in slides() if fact.value != "Seas"]
    assert not asked(timeline([*slides(), *spoken(), second]), "text_next")
    assert not asked(timeline([*untitled, *spoken()]), "text_next")


def test_shots_are_counted_by_colour(lecture: Timeline) -> None:
    assert answers(lecture, "shots_in_colour") == {"blue": "2", "red": "1", "green": "1"}
    blue = asked(lecture, "shots_in_colour")[0]
    assert (blue.fact_ids, blue.spans) == (("f10", "f12"), ((0.0, 31.0),))


def test_sentences_are_counted_by_a_word_that_several_have(lecture: Timeline) -> None:
    assert answers(lecture, "sentences_with") == {"water": "3"}
    assert asked(lecture, "sentences_with")[0].fact_ids == ("f20", "f22", "f24")


def test_a_sentence_counts_once_for_each_time_it_is_said() -> None:
    facts = [
        seen(20, "speech", "Herons, herons everywhere.", (1.0, 3.0), (21.0, 23.0)),
        seen(21, "speech", "Few herons stay.", (11.0, 13.0)),
    ]
    video = timeline([*slides(), *facts])
    assert answers(video, "sentences_with") == {"herons": "3", "everywhere": "2"}


def test_a_part_of_a_word_is_not_counted() -> None:
    facts = [
        seen(20, "speech", "Lindstr\u00f6m drew it.", (1.0, 3.0)),
        seen(21, "speech", "Then Lindstr\u00f6m sold it.", (11.0, 13.0)),
        seen(22, "speech", "The kettle sang.", (14.0, 15.0)),
        seen(23, "speech", "A kettle\u2019s lid fell.", (16.0, 17.0)),
    ]
    video = timeline([*slides(), *facts])
    assert answers(video, "sentences_with") == {"lindstr\u00f6m": "2"}


@pytest.mark.parametrize(("form", "place"), [("first_of", 0), ("last_of", -1)])
def test_three_slides_are_put_in_their_order(lecture: Timeline, form: str, place: int) -> None:
    found = asked(lecture, form)
    assert len(found) == 4
    for ask in found:
        three = sorted(ask.slots.values(), key=TITLES.index)
        assert len(set(three)) == 3
        assert ask.answer == three[place]
        assert {f"f{TITLES.index(title)}" for title in three} == set(ask.fact_ids)


def test_the_answer_of_an_order_has_no_place_of_its_own_in_the_question() -> None:
    shots = [(float(i), i + 1.0) for i in range(12)]
    titles = [seen(i, "title", f"Part {i}", span) for i, span in enumerate(shots)]
    found = asked(timeline(titles, shots), "first_of")
    places = {next(s for s, value in ask.slots.items() if value == ask.answer) for ask in found}
    assert places == {"x", "y", "z"}


def test_a_title_that_comes_again_is_not_put_in_order_or_compared() -> None:
    facts = [fact for fact in slides() if fact.value != "Seas"]
    again = facts[0].model_copy(update={"spans": (SHOTS[0], SHOTS[2])})
    video = timeline([again, *facts[1:]])
    assert not asked(video, "first_of")
    assert not asked(video, "last_of")
    for form in ("longer", "same_colour"):
        assert set(answers(video, form)) <= {"Lakes, Oceans", "Oceans, Lakes"}
        assert len(answers(video, form)) == 1


def test_the_longer_of_two_slides_is_clearly_longer(lecture: Timeline) -> None:
    lengths = {t: end - start for t, (start, end) in zip(TITLES, SHOTS, strict=True)}
    pairs = {frozenset(ask.slots.values()) for ask in asked(lecture, "longer")}
    assert frozenset(("Rivers", "Oceans")) not in pairs, "ten and eleven seconds are alike"
    assert len(pairs) == 5
    for ask in asked(lecture, "longer"):
        x, y = ask.slots["x"], ask.slots["y"]
        assert ask.answer == max(x, y, key=lambda title: lengths[title])
        assert max(lengths[x], lengths[y]) >= 1.25 * min(lengths[x], lengths[y])


@pytest.mark.parametrize(("second", "answer"), [(12.4, None), (12.5, "Lakes"), (8.0, "Rivers")])
def test_lengths_within_a_quarter_are_alike(second: float, answer: str | None) -> None:
    shots = [(0.0, 10.0), (10.0, 10.0 + second)]
    facts = [seen(i, "title", TITLES[i], span) for i, span in enumerate(shots)]
    found = asked(timeline(facts, shots), "longer")
    assert [ask.answer for ask in found] == ([answer] if answer else [])


def test_two_slides_have_the_same_colour_or_not(lecture: Timeline) -> None:
    found = asked(lecture, "same_colour")
    assert len(found) == 6
    for ask in found:
        same = {frozenset(("Rivers", "Seas")): "yes"}
        assert ask.answer == same.get(frozenset(ask.slots.values()), "no")
    assert next(ask.fact_ids for ask in found if ask.answer == "yes") == ("f0", "f2", "f10", "f12")


def test_joined_asks_are_worded_with_all_that_they_name(lecture: Timeline) -> None:
    rng = random.Random(0)
    for ask in hop_asks(lecture):
        for split in ("train", "exam", "calibrate", "check"):
            worded = word(ask, split, rng)
            question = worded.question.casefold()
            assert all(value.casefold() in question for value in ask.slots.values())
            assert worded.answer.casefold() == ask.answer.casefold()


def test_a_video_with_one_bare_shot_has_nothing_to_join() -> None:
    assert not list(hop_asks(timeline([seen(0, "title", "Rivers", SHOTS[0])], SHOTS[:1])))


def test_the_order_of_joined_asks_is_the_same_in_every_process() -> None:
    code = (
        "import random\nfrom training.worlds.videos import invent\n"
        "from training.worlds.words import everyday_words\n"
        "from training.wording.hops import hop_asks\n"
        "for ask in hop_asks(invent(random.Random(1), everyday_words(), 30)): print(ask.slots)"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(printed) == 1
