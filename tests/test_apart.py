"""The apart wordings: none of them stands in a grammar, and every table of the grammar has some."""

import random
import re

from evals.apart import SPOKEN, absent_asked, facts_asked, hops_asked, spoken_asked, wordings
from training.wording.phrasing import phrases, tables
from training.wording.small_talk import parts_of_small_talk
from training.worlds.videos import invent
from training.worlds.words import everyday_words

SPLITS = ("train", "exam", "calibrate", "check")
SLOT = re.compile(r"\{\w+\}")


def normalised(wording: str) -> str:
    """Return a wording without slots, case and punctuation."""
    return " ".join(re.sub(r"\W+", " ", SLOT.sub(" ", wording.casefold())).split())


def test_no_apart_wording_stands_in_a_grammar() -> None:
    found = []
    for table in tables():
        grammar = {normalised(w) for split in SPLITS for w in phrases(table, split)}
        found += [
            f"{table}: {wording}"
            for wording in wordings().get(table, ())
            # A question with nothing around it is everybody's.
            if normalised(wording) and normalised(wording) in grammar
        ]
    assert not found


def test_no_frame_is_small_talk_of_the_grammar() -> None:
    small_talk = {normalised(part) for parts in parts_of_small_talk().values() for part in parts}
    assert not {normalised(frame) for frame in wordings()["opener"]} & (small_talk - {""})


def test_every_question_has_apart_wordings_with_its_slots() -> None:
    for table in tables():
        if table.startswith("describe."):
            continue
        slots = {slot for wording in phrases(table, "train") for slot in SLOT.findall(wording)}
        for wording in wordings()[table]:
            assert set(SLOT.findall(wording)) <= slots, f"{table}: {wording}"


def test_a_video_is_asked_about_every_fact_its_joins_and_what_is_absent() -> None:
    timeline = invent(random.Random(3), everyday_words(), 6)
    asked = facts_asked(timeline, 0)
    askable = {fact.id for shot in timeline.shots for fact in shot.facts}
    assert len({record.fact_ids[0] for record in asked}) > 0.8 * len(askable)
    assert {record.category for record in asked} == {"open"}
    assert all(len(record.fact_ids) > 1 for record in hops_asked(timeline, 0))
    spoken = spoken_asked(timeline, 0)
    assert spoken
    assert {record.form.partition("/")[2] for record in spoken} <= set(SPOKEN)
    absent = absent_asked(timeline, 0)
    assert {record.kind for record in absent} == {"absent"}
    assert [r.question for r in absent] == [r.question for r in absent_asked(timeline, 0)]
    assert [r.question for r in absent] != [r.question for r in absent_asked(timeline, 1)]
