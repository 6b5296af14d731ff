"""The embedded planner: evidence as facts, spans and chapters."""

from collections.abc import Sequence

from agents.embedded.planner import EmbeddedPlanner
from agents.team import Plan
from tools.evidence import Evidence, Kind
from training.facts import Fact

SHOT = 10.0


def evidence(*found: tuple[Kind, float, float, str]) -> list[Evidence]:
    return [
        Evidence(id=f"e{i:04d}", kind=kind, start=start, end=end, value=value, source="t", score=1)
        for i, (kind, start, end, value) in enumerate(found, 1)
    ]


def shots(count: int, **looks: Sequence[str]) -> list[tuple[Kind, float, float, str]]:
    """Shots of ten seconds with their looks, one value a shot."""
    found: list[tuple[Kind, float, float, str]] = []
    kinds: dict[str, Kind] = {
        "colour": "colour",
        "brightness": "brightness",
        "motion": "motion",
        "faces": "faces",
    }
    for i in range(count):
        found.append(("shot", i * SHOT, (i + 1) * SHOT, f"shot {i + 1}"))
        for name, values in looks.items():
            found.append((kinds[name], i * SHOT, (i + 1) * SHOT, values[i]))
    return found


def of(plan: Plan, attribute: str) -> list[Fact]:
    return [fact for fact in plan.facts if fact.attribute == attribute]


def test_facts_of_a_small_talk() -> None:
    found = evidence(
        *shots(2, colour=["red", "red"], motion=["none", "left"], faces=["0", "0"]),
        ("title", 0, 10, "The Copper Kettle"),
        ("text", 0, 10, "Northgate Harbour"),
        ("title", 10, 20, "Results"),
        ("speech", 2, 5, "Marta Lindqvist bought the kettle in 1921."),
        ("speech", 12, 15, "The tower is 29 metres tall."),
    )
    plan = EmbeddedPlanner().plan(found, 20.0)
    assert plan.spans == [(0.0, 10.0), (10.0, 20.0)]
    assert plan.chapters == [(0.0, "The Copper Kettle"), (10.0, "Results")]
    assert [fact.id for fact in plan.facts] == [f"f{i:04d}" for i in range(1, len(plan.facts) + 1)]
    assert [(f.subject, f.value) for f in of(plan, "colour")] == [
        ("shot 1", "red"),
        ("shot 2", "red"),
    ]
    assert [fact.value for fact in of(plan, "motion")] == ["none", "left"]
    assert not of(plan, "faces")
    assert [fact.value for fact in of(plan, "shots")] == ["2"]
    assert [fact.value for fact in of(plan, "duration")] == ["00:20"]
    kettle = of(plan, "title")[0]
    assert (kettle.subject, kettle.spans, kettle.evidence_ids) == (
        "shot 1",
        ((0.0, 10.0),),
        ("e0009",),
    )
    said = {(f.relation.kind, f.value): f for f in plan.facts if f.relation}
    when = said["when", "1921"]
    assert when.attribute == "relation"
    assert when.spans == ((2.0, 5.0),)
    assert when.relation is not None
    assert when.relation.slots == {
        "clause": "did Marta Lindqvist buy the kettle",
        "passive": "was the kettle bought",
    }
    assert ("how_much", "29 metres") in said


def test_faces_are_kept_where_a_shot_has_some() -> None:
    plan = EmbeddedPlanner().plan(evidence(*shots(2, faces=["0", "2"])), 20.0)
    assert [fact.value for fact in of(plan, "faces")] == ["0", "2"]


def test_a_text_that_comes_again_is_one_fact() -> None:
    found = evidence(
        *shots(4),
        ("title", 0, 10, "Overview"),
        ("title", 10, 20, "OVERVIEW"),
        ("title", 20, 30, "Results"),
        ("title", 30, 40, "Overview"),
        ("text", 20, 30, "Results"),
    )
    plan = EmbeddedPlanner().plan(found, 40.0)
    overview, results = of(plan, "title")
    assert overview.spans == ((0.0, 20.0), (30.0, 40.0))
    assert overview.evidence_ids == ("e0005", "e0006", "e0008")
    assert results.value == "Results"
    assert not of(plan, "text")
    assert plan.chapters == [(0.0, "Overview"), (20.0, "Results"), (30.0, "Overview")]


def test_questions_with_two_answers_make_no_fact() -> None:
    found = evidence(
        *shots(2),
        ("speech", 1, 4, "The tower is 29 metres tall."),
        ("speech", 11, 14, "The tower is 31 metres tall."),
        ("speech", 14, 18, "The bridge is 80 metres long."),
        ("text", 1, 9, "The bridge is 80 metres long"),
    )
    facts = [f for f in EmbeddedPlanner().plan(found, 20.0).facts if f.relation]
    measured = [fact for fact in facts if fact.relation and fact.relation.kind == "how_much"]
    assert [fact.value for fact in measured] == ["80 metres"]
    assert measured[0].spans == ((1.0, 9.0), (14.0, 18.0))


def test_mentions_are_told_apart_by_their_times() -> None:
    apart = evidence(
        *shots(2),
        ("speech", 1, 4, "This is for Anna Weber."),
        ("speech", 11, 14, "And that is for Maria Lopez."),
    )
    together = evidence(
        *shots(2),
        ("speech", 1, 4, "This is for Anna Weber."),
        ("speech", 2, 6, "And that is for Maria Lopez."),
    )

    def people(found: list[Evidence]) -> list[str]:
        facts = EmbeddedPlanner().plan(found, 20.0).facts
        return [f.value for f in facts if f.relation and f.relation.kind == "mention"]

    assert people(apart) == ["Anna Weber", "Maria Lopez"]
    assert people(together) == []


def test_a_sentence_lies_in_the_shot_that_has_most_of_it() -> None:
    found = evidence(
        *shots(3), ("speech", 9, 14, "It goes on."), ("speech", 28, 33, "And ends late.")
    )
    assert [(f.subject, f.value) for f in of(EmbeddedPlanner().plan(found, 30.0), "speech")] == [
        ("shot 2", "It goes on."),
        ("shot 3", "And ends late."),
    ]


def test_no_evidence_gives_a_plan() -> None:
    plan = EmbeddedPlanner().plan([], 3.0)
    assert plan.spans == [(0.0, 3.0)]
    assert [(fact.attribute, fact.value) for fact in plan.facts] == [("duration", "00:03")]


def test_a_long_video_keeps_a_share_of_everything() -> None:
    count = 300
    found = shots(count, colour=["red"] * count, motion=["none", "left", "up"] * (count // 3))
    for i in range(count):
        said = f"Station {i} was opened in {1600 + i} by Anna Weber."
        found.append(("speech", i * SHOT, i * SHOT + 8, said))
        found += [("text", i * SHOT, (i + 1) * SHOT, f"Line {i} {j}") for j in range(6)]
    plan = EmbeddedPlanner(max_facts=400).plan(evidence(*found), count * SHOT)
    assert len([fact for fact in plan.facts if fact.subject != "video"]) == 400
    kinds = {fact.relation.kind if fact.relation else fact.attribute for fact in plan.facts}
    assert {"colour", "motion", "text", "speech", "when", "who", "cloze"} <= kinds
    places = [fact.spans[0][0] / (count * SHOT) for fact in of(plan, "text")]
    assert min(places) < 0.1
    assert max(places) > 0.9
    assert "none" not in {fact.value for fact in of(plan, "motion")}
    assert plan == EmbeddedPlanner(max_facts=400).plan(evidence(*found), count * SHOT)
