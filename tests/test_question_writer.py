"""What the question-writer asks without a language model: every fact, no form of it too often."""

from collections import Counter

from kettle import SECONDS
from tiny_library import evidence

from agents.embedded.question_writer import CALIBRATE_ABSENT, HELD_OUT_ABSENT, MOST_ALIKE
from agents.embedded.team import embedded_team
from agents.team import Assignment, Plan
from training.corpus import Record

pytest_plugins = ("kettle",)


def written(plan: Plan, category: str = "open") -> list[Record]:
    writer = embedded_team().question_writer
    return [
        record
        for seed, span in enumerate(plan.spans)
        for record in writer.write(
            Assignment(video_id="v", span=span, plan=plan, seconds=SECONDS, seed=seed)
        )
        if record.category == category
    ]


def forms_of(plan: Plan) -> Counter[tuple[str, str]]:
    taught = [record for record in written(plan) if record.split == "train"]
    return Counter((record.fact_ids[0], record.form) for record in taught)


def test_no_form_of_a_fact_takes_the_place_of_the_others(plan: Plan) -> None:
    assert max(forms_of(plan).values()) == MOST_ALIKE


def test_neighbours_are_asked_more_often_than_what_names_its_own_slide(plan: Plan) -> None:
    asked = forms_of(plan)
    both = [
        (count, asked[fact, "open/speech_by_title"])
        for (fact, form), count in asked.items()
        if form == "open/speech_by_after_speech" and (fact, "open/speech_by_title") in asked
    ]
    assert both
    assert all(neighbours > 1.5 * named for neighbours, named in both)


def test_what_a_sentence_says_is_asked_in_more_words_than_what_is_seen(plan: Plan) -> None:
    asked: Counter[str] = Counter()
    for (fact, _), count in forms_of(plan).items():
        asked[fact] += count
    facts = {fact.id: fact for fact in plan.facts}
    said = {fact: count for fact, count in asked.items() if facts[fact].relation}
    rich = [count for fact, count in said.items() if count > 2 * MOST_ALIKE]
    assert rich
    assert min(rich) > max(count for fact, count in asked.items() if fact not in said)


def test_held_out_splits_ask_no_fact_more_than_twice(plan: Plan) -> None:
    for split in ("exam", "calibrate", "check"):
        facts = Counter(record.fact_ids[0] for record in written(plan) if record.split == split)
        assert max(facts.values()) == 2


def test_the_confidence_is_fitted_on_thrice_as_many_absent_questions(plan: Plan) -> None:
    absent = Counter(record.split for record in written(plan, "absent"))
    assert absent["exam"] == absent["check"] == HELD_OUT_ABSENT
    assert absent["calibrate"] == CALIBRATE_ABSENT * HELD_OUT_ABSENT


def asked_who(*sentences: str) -> set[str]:
    """Return the open questions for somebody over a few sentences, one a shot."""
    from agents.embedded.planner import EmbeddedPlanner

    rows = [
        row
        for n, said in enumerate(sentences)
        for row in (
            ("shot", 9.0 * n, 9.0 * n + 9, f"shot {n}"),
            ("speech", 9.0 * n, 9.0 * n + 8, said),
        )
    ]
    plan = EmbeddedPlanner().plan(evidence(tuple(rows)), 9.0 * len(sentences))
    return {record.question for record in written(plan) if record.form == "open/who"}


def test_who_did_it_is_asked_without_when_where_only_one_did() -> None:
    once = asked_who("Anna Weber won the race in 1990.", "Tom Berg sold the boat in 1994.")
    assert any("won the race" in text and "1990" not in text for text in once)
    twice = asked_who("Anna Weber won the race in 1990.", "Tom Berg won the race in 1994.")
    assert all("1990" in text or "1994" in text for text in twice)
    assert twice
