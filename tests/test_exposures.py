"""Exposures: how often a fact is met, and that rare ones get their share."""

from training.corpus import Message, Record
from training.trainer.exposures import evened, met, summary


def records(fact: str, count: int) -> list[Record]:
    return [
        Record(
            id=f"{fact}-{number}",
            video_id="v",
            kind="qa",
            form="open/title",
            fact_ids=[fact],
            messages=[
                Message(role="user", content=f"What is {fact}, {number}?"),
                Message(role="assistant", content=fact),
            ],
        )
        for number in range(count)
    ]


def test_a_rare_fact_is_met_more_often_and_no_record_is_lost() -> None:
    common = [*records("a", 100), *records("b", 100), *records("c", 90)]
    rare = records("d", 7)
    found = evened([*common, *rare])
    assert found[: len(common) + len(rare)] == [*common, *rare]
    counts = met(found)
    assert counts["d"] == 57
    assert (counts["a"], counts["b"], counts["c"]) == (100, 100, 90)
    # Every wording of the rare fact is repeated about alike.
    again = [record.id for record in found[len(common) + len(rare) :]]
    assert max(map(again.count, set(again))) - min(map(again.count, set(again))) <= 1


def test_facts_that_are_met_alike_stay_as_they_are() -> None:
    given = [*records("a", 10), *records("b", 9)]
    assert evened(given) == given
    assert evened([]) == []


def test_exposures_are_counted_over_all_passes() -> None:
    given = [*records("a", 10), *records("b", 4), *records("c", 6)]
    assert summary(given, 2.5) == {"least": 10.0, "median": 15.0, "most": 25.0}
    assert summary([], 3) == {"least": 0.0, "median": 0.0, "most": 0.0}
