"""The grammar: what is asked is true of the timeline, and held-out wordings are held out."""

import random
import re

import pytest

from training.corpus import REFUSAL
from training.facts import Fact, Relation
from training.wording.absent import absent_ask
from training.wording.asks import ORDINALS, asks_of, cues, fact_asks, video_asks
from training.wording.describe import describe
from training.wording.phrasing import phrases, tables, word
from training.wording.small_talk import with_small_talk
from training.wording.timeline import Timeline, clock, whole_seconds
from training.worlds.documents import document
from training.worlds.videos import invent
from training.worlds.words import everyday_words

# A quoted value or one bare word: a longer bare value could be any words of a question.
VALUE = r"""(?:"[^"]+"|'[^']+'|[\w-]+)"""
HELD_OUT = ("exam", "calibrate", "check")


def slide(number: int, attribute: str, value: str, span: tuple[float, float]) -> Fact:
    return Fact(id=f"f{number}", subject="shot", attribute=attribute, value=value, spans=(span,))


@pytest.fixture
def lecture() -> Timeline:
    facts = [
        slide(1, "title", "Rivers", (0.0, 6.4)),
        slide(2, "colour", "blue", (0.0, 6.4)),
        slide(3, "title", "Lakes", (6.4, 12.0)),
        slide(4, "text", "Depth 90 m", (6.4, 12.0)),
        slide(5, "text", "Cold all year", (6.4, 12.0)),
        slide(6, "colour", "blue", (6.4, 12.0)),
        slide(7, "title", "Seas", (12.0, 20.0)),
        slide(8, "colour", "red", (12.0, 20.0)),
    ]
    return Timeline.of(facts, [(0.0, 6.4), (6.4, 12.0), (12.0, 20.0)], 20.0)


def whole_words(text: str) -> str:
    """Return what finds words as they stand: no "is" at the end of a name."""
    before, after = (r"\b" if re.match(r"\w", end) else "" for end in (text[0], text[-1]))
    return f"{before}{re.escape(text)}{after}"


def pattern(template: str, value: str = VALUE) -> re.Pattern[str]:
    """Return what finds a wording in a folded question, whatever its slots hold."""
    parts = re.split(r"(\{\w+\})", template.casefold())
    slots = {
        "{t}": r"[\d:]+",
        "{n}": f"(?:{'|'.join(ORDINALS)})",
        "{cue}": ".*",
        "{q}": ".*",
        "{x}": value,
        "{y}": value,
    }
    found = "".join(
        slots.get(part, ".+")
        if part.startswith("{")
        else rf"\s*{whole_words(part.strip(' ?'))}\s*"
        if part.strip(" ?")
        else r"\s*"
        for part in parts
    )
    return re.compile(rf"(?<!\w){found}" if re.match(r"\w", found) else found)


def test_clock():
    assert clock(0) == "00:00"
    assert clock(61.9) == "01:01"
    assert clock(3600) == "1:00:00"
    assert list(whole_seconds((1.2, 3.0))) == [2]
    assert not whole_seconds((1.2, 1.9))


def test_cues_tell_one_shot_apart(lecture):
    title = lecture.shots[0].first("title")
    kinds = {(cue.kind, cue.value) for cue in cues(lecture, 0, title)}
    assert ("before_title", "Lakes") in kinds
    assert ("colour", "blue") not in kinds, "two shots are blue"
    red = {(cue.kind, cue.value) for cue in cues(lecture, 2, lecture.shots[2].first("title"))}
    assert ("colour", "red") in red


def test_value_that_two_shots_share_has_a_list_of_times(lecture):
    asks = {ask.form: ask for ask in asks_of(lecture, 0, lecture.shots[0].first("colour"))}
    assert asks["list/when_colour"].answer == "00:00; 00:06"
    asks = {ask.form: ask for ask in asks_of(lecture, 2, lecture.shots[2].first("colour"))}
    assert asks["open/when_colour"].answer == "00:12"


def test_lines_are_asked_by_their_place(lecture):
    second = lecture.shots[1].of("text")[1]
    asks = [ask for ask in asks_of(lecture, 1, second) if ask.form == "open/text_by_title"]
    assert asks[0].slots == {"n": "second"}
    assert asks[0].answer == "Cold all year"


def told(text: str, **relation: str) -> Relation:
    kind, answer = relation.pop("kind"), relation.pop("answer")
    return Relation(kind=kind, slots=relation, answer=answer, sentence=text)


def test_a_question_with_two_answers_is_not_asked():
    germany = "Germany won the World Cup in 1990."
    brazil = "Brazil won the World Cup in 1994."
    facts = []
    for number, (text, year, start) in enumerate([(germany, "1990", 0.0), (brazil, "1994", 5.0)]):
        country = text.split()[0]
        relation = told(
            text, kind="when", answer=year, clause=f"did {country} win the World Cup",
            passive="was the World Cup won",
        )  # fmt: skip
        span = (start, start + 5.0)
        facts.append(slide(2 * number, "speech", text, span))
        facts.append(
            Fact(
                id=f"f{2 * number + 1}",
                subject="shot",
                attribute="relation",
                value=year,
                spans=(span,),
                relation=relation,
            )
        )
    video = Timeline.of(facts, [(0.0, 5.0), (5.0, 10.0)], 10.0)
    clauses = {ask.slots.get("clause") for ask in asks_of(video, 0, facts[1])}
    assert "did Germany win the World Cup" in clauses
    assert "was the World Cup won" not in clauses
    alone = Timeline.of(facts[:2], [(0.0, 5.0)], 5.0)
    asks = list(asks_of(alone, 0, facts[1]))
    assert "was the World Cup won" in {ask.slots.get("clause") for ask in asks}
    happened = [ask for ask in asks if ask.form == "open/happened"]
    assert [ask.answer for ask in happened] == [germany]


def test_a_line_is_asked_only_while_it_stands():
    facts = [slide(1, "title", "Money", (0.0, 14.0)), slide(2, "text", "Budget", (10.0, 14.0))]
    video = Timeline.of(facts, [(0.0, 14.0)], 14.0)
    timed = [ask for ask in asks_of(video, 0, facts[1]) if ask.form == "open/text_by_time"]
    assert [ask.cue.span for ask in timed] == [(10.0, 14.0)]


def test_titles_that_come_again_make_no_range():
    facts = [
        Fact(id="f1", subject="s", attribute="title", value="Menu", spans=((0, 5), (10, 15))),
        slide(2, "title", "Soup", (5.0, 10.0)),
        slide(3, "title", "Fish", (15.0, 20.0)),
    ]
    video = Timeline.of(facts, [(0, 5), (5, 10), (10, 15), (15, 20)], 20.0)
    assert not [ask for ask in video_asks(video) if ask.form == "list/range"]


def test_whole_video(lecture):
    asks = {ask.form: ask for ask in video_asks(lecture)}
    assert asks["list/titles"].answer == "Rivers; Lakes; Seas"
    assert asks["open/count_titles"].answer == "3"


def test_times_in_questions_lie_in_the_span_they_ask_about(lecture):
    rng = random.Random(0)
    title = lecture.shots[0].first("title")
    timed = [ask for ask in asks_of(lecture, 0, title) if ask.form == "open/title_by_time"]
    for _ in range(50):
        asked = word(timed[0], "train", rng)
        minute, second = re.search(r"(\d\d):(\d\d)", asked.question).groups()
        assert 0 <= int(minute) * 60 + int(second) < 6.4


def test_yes_and_no_are_true_of_the_timeline(lecture):
    rng = random.Random(1)
    title = lecture.shots[0].first("title")
    asks = [a for a in asks_of(lecture, 0, title) if a.form == "yesno/title_by_before_title"]
    for _ in range(40):
        asked = word(asks[0], "train", rng)
        # The cue names "Lakes" itself, so only the claim tells.
        right = "rivers" in asked.question.casefold()
        assert asked.answer == f"Rivers, so {'yes' if right else 'no'}"


def test_choices_hold_the_answer_once(lecture):
    rng = random.Random(2)
    title = lecture.shots[0].first("title")
    asks = [ask for ask in asks_of(lecture, 0, title) if ask.form == "choice/title_by_time"]
    for _ in range(20):
        asked = word(asks[0], "train", rng)
        assert asked.answer == "Rivers"
        assert asked.answer in asked.question


def test_every_fact_has_eight_wordings_and_two_directions(lecture):
    rng = random.Random(3)
    for index, shot in enumerate(lecture.shots):
        for fact in shot.of("title"):
            asks = list(asks_of(lecture, index, fact))
            forms = {ask.form for ask in asks}
            assert len({word(ask, "train", rng).question for ask in asks * 4}) >= 8
            assert any("when" in form for form in forms)
            assert any("by_time" in form for form in forms)


def test_a_description_tells_every_fact(lecture):
    rng = random.Random(4)
    for _ in range(30):
        told = describe(lecture.shots[1], rng).casefold()
        assert all(fact.value.casefold() in told for fact in lecture.shots[1].facts)
        assert "00:06" in told


def test_absent_questions_name_nothing_that_is_there(lecture):
    rng = random.Random(5)
    for _ in range(200):
        ask = absent_ask(lecture, rng, everyday_words())
        assert ask.answer == REFUSAL
        assert ask.slots.get("x") not in ("Rivers", "Lakes", "Seas", "Depth 90 m")
        if ask.cue and ask.cue.span:
            assert ask.cue.span[0] >= lecture.seconds


def test_the_same_seed_writes_the_same_document():
    first = document(random.Random("7"), everyday_words())
    assert first == document(random.Random("7"), everyday_words())
    assert first != document(random.Random("8"), everyday_words())


def test_no_wording_stands_in_two_splits():
    for table in tables():
        seen: dict[str, str] = {}
        for split in ("train", *HELD_OUT):
            for wording in phrases(table, split):
                folded = re.sub(r"\W+", " ", wording.casefold()).strip()
                assert seen.setdefault(folded, split) == split, f"{table}: {wording}"


def test_every_question_table_has_held_out_wordings():
    for table in tables():
        if not table.startswith("describe."):
            assert all(phrases(table, split) for split in HELD_OUT), table


def test_held_out_wordings_stay_out_of_pretraining():
    """No held-out core, cue or opener can be found in what pretraining reads."""
    asked = [
        # Options and what is quoted are the videos' words, not the grammar's.
        re.sub(r'"[^"]*"', '"quoted"', re.sub(r" a\) .*", "", turn.user.casefold()))
        for number in range(600)
        for turn in document(random.Random(f"0-{number}"), everyday_words()).turns
    ]
    assert len(asked) > 5000
    for table in tables():
        if table.startswith("describe."):
            continue
        for split in HELD_OUT:
            for wording in phrases(table, split):
                found = pattern(wording)
                hits = [question for question in asked if found.search(question)]
                assert not hits, f"{table}: {wording!r} stands in {hits[0]!r}"


def test_questions_of_held_out_splits_use_held_out_words_only():
    rng = random.Random(6)
    timeline = invent(rng, everyday_words(), 4)
    for split in HELD_OUT:
        for index, shot in enumerate(timeline.shots):
            for fact in shot.facts:
                for ask in asks_of(timeline, index, fact):
                    question = word(ask, split, rng).question.casefold()
                    cores = [pattern(core, ".+") for core in phrases(ask.table, split)]
                    assert any(found.search(question) for found in cores)


def test_small_talk_stands_around_some_questions_that_are_learnt_and_no_others():
    rng = random.Random(8)
    timeline = invent(rng, everyday_words(), 4)
    asks = [ask for ask in fact_asks(timeline) if ask.category == "open"]
    closers = ("thanks", "hurry", "regards", "that part", "cheers")

    def chatty(split: str) -> int:
        asked = [word(rng.choice(asks), split, rng).question for _ in range(400)]
        return sum(any(closer in question.casefold() for closer in closers) for question in asked)

    assert 10 < chatty("train") < 100
    assert not any(chatty(split) for split in HELD_OUT)


def test_small_talk_leaves_the_question_as_it_is():
    found = {with_small_talk("Where is it?", random.Random(seed)) for seed in range(300)}
    assert all("where is it?" in asked.casefold() for asked in found)
    assert len(found) > 250
