"""What is beside, between, or the only one of a video is asked only where nothing of it is missing.

A budget leaves facts out of a long video's plan, and where time is short spans are not looked at.
"""

from collections.abc import Iterator, Sequence

import pytest
from kettle import fact_id, measured, record

from agents.embedded.planner import EmbeddedPlanner
from agents.embedded.team import embedded_team
from agents.embedded.verifier import EmbeddedVerifier
from agents.team import Assignment, Plan
from tools.evidence import Evidence, Kind
from training.corpus import Record
from training.facts import Span
from training.wording.asks import video_asks
from training.wording.hops import hop_asks
from training.wording.timeline import Timeline, holes

Rows = list[tuple[Kind, float, float, str]]

SHOTS = 24
BUDGET = 110
TREES = [
    "Amber", "Birch", "Cedar", "Daisy", "Elder", "Fern", "Grape", "Hazel", "Iris",
    "Juniper", "Kale", "Larch", "Maple", "Nettle", "Olive", "Poppy", "Quince",
    "Rowan", "Sage", "Thyme", "Ulmo", "Vetch", "Willow", "Yarrow",
]  # fmt: skip
LINES = [f"{name} {what}" for name in TREES for what in ("roots", "leaves", "seeds")]
SAID = [
    sentence
    for place, name in enumerate(TREES)
    for sentence in (
        f"Anna {TREES[place % 16]} planted the {name.lower()} tree in {1800 + place}.",
        f"In the garden somebody waters row {place}.",
    )
]


def long_rows() -> Rows:
    rows: Rows = []
    for place, name in enumerate(TREES):
        start, end = 10.0 * place, 10.0 * place + 10
        rows += [
            ("shot", start, end, f"shot {place + 1}"),
            ("title", start, end, f"Plot of {name}"),
        ]
        rows += [("colour", start, end, ("red", "blue", "green")[place % 3])]
        rows += [("text", start, end, line) for line in LINES[3 * place : 3 * place + 3]]
        for half, said in enumerate(SAID[2 * place : 2 * place + 2]):
            rows.append(("speech", start + 5 * half, start + 5 * half + 4, said))
    return rows


@pytest.fixture(scope="module")
def long_video() -> list[Evidence]:
    return measured(long_rows())


@pytest.fixture(scope="module")
def cut(long_video: list[Evidence]) -> Plan:
    return EmbeddedPlanner(max_facts=BUDGET).plan(long_video, 10.0 * SHOTS)


def judged(plan: Plan, evidence: Sequence[Evidence], seconds: float) -> list[Record]:
    """Return what the embedded team writes about a video, with its verdicts."""
    team, records = embedded_team(), list[Record]()
    for seed, span in enumerate([*plan.spans, None]):
        assignment = Assignment(video_id="v", span=span, plan=plan, seconds=seconds, seed=seed)
        records += team.verifier.verify(team.question_writer.write(assignment), plan, evidence)
    return records


def quotes(question: str, sentence: str) -> bool:
    words = sentence.casefold().split()
    runs = [" ".join(words[i : i + 3]).rstrip(".") for i in range(len(words) - 2)]
    return any(run in question.casefold() for run in runs)


def false_records(records: Sequence[Record], plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield what is not true of the long video."""
    facts = {fact.id: fact for fact in plan.facts}
    for asked in records:
        form, answer, right = asked.form, asked.answer, True
        if form in ("open/speech_by_after_speech", "open/speech_by_before_speech"):
            place = SAID.index(answer) + (-1 if "after" in form else 1)
            right = 0 <= place < len(SAID) and quotes(asked.question, SAID[place])
        elif form in ("open/count_text", "list/text"):
            right = answer == "3" if form == "open/count_text" else answer.count(";") == 2
        elif form in ("open/count_titles", "open/shots"):
            right = answer == str(SHOTS)
        elif form == "open/shots_in_colour":
            right = answer == "8"
        elif form == "list/range":
            start, end = asked.spans[0]
            right = answer.count(";") + 1 == round((end - start) / 10)
        elif form in ("open/when_mention", "open/about", "open/said_title", "open/said_next"):
            relation = facts[asked.fact_ids[-1]].relation
            assert relation is not None
            name = relation.slots["thing"] if relation.kind == "is" else relation.answer
            right = sum(name in said for said in SAID) == 1
        elif form == "list/titles":
            right = answer.count(";") + 1 == SHOTS
        if not right:
            yield form, asked.question, answer


def test_a_plan_keeps_what_it_has_no_room_to_ask_about(
    long_video: list[Evidence], cut: Plan
) -> None:
    whole = EmbeddedPlanner().plan(long_video, 10.0 * SHOTS)
    assert not whole.unasked
    assert len([fact for fact in cut.facts if fact.subject != "video"]) == BUDGET
    assert sorted([*cut.facts, *cut.unasked], key=lambda fact: fact.id) == whole.facts
    assert not {fact.id for fact in cut.facts} & {fact.id for fact in cut.unasked}


def test_what_is_written_of_a_cut_plan_is_true_of_the_video(
    long_video: list[Evidence], cut: Plan
) -> None:
    records = judged(cut, long_video, 10.0 * SHOTS)
    assert not list(false_records(records, cut))
    cited = {fact_id for r in records for fact_id in r.fact_ids}
    assert cited <= {fact.id for fact in cut.facts}
    assert not [r for r in records if "support the answer" in r.verdict]
    forms = {r.form for r in records if r.verdict == "supported"}
    assert {
        "open/speech_by_after_speech",
        "open/when_mention",
        "open/title_by_after_title",
    } <= forms


def test_the_verifier_knows_what_the_writer_does_not(long_video: list[Evidence], cut: Plan) -> None:
    forgotten = cut.model_copy(update={"unasked": []})
    records = judged(forgotten, long_video, 10.0 * SHOTS)
    wrong = {form for form, *_ in false_records(records, forgotten)}
    assert wrong >= {
        "open/speech_by_after_speech",
        "open/speech_by_before_speech",
        "open/count_text",
        "open/count_titles",
        "list/range",
        "open/when_mention",
    }
    stands = [r for r in records if r.verdict == "supported"]
    assert not list(false_records(stands, forgotten))


def test_what_is_not_asked_about_tells_what_comes_only_once(cut: Plan) -> None:
    timeline = Timeline.of(cut.facts, cut.spans, 10.0 * SHOTS)
    known = timeline.knowing(cut.unasked)
    assert timeline.knowing([]) is timeline
    assert known.facts == timeline.facts
    assert [fact.value for fact in known.sentences] == SAID
    assert [shot.facts for shot in known.shots] == [shot.facts for shot in timeline.shots]
    assert [len(shot.of("text")) for shot in known.shots] == [3] * SHOTS
    assert len(known.says("Anna Amber")) == 2
    for ask in (*video_asks(known), *hop_asks(known)):
        assert known.may_ask(ask.fact_ids)


# Two shots are missing before the fourth and one at the end; all is heard.
LOOKED_AT: list[Span] = [(0, 10), (10, 20), (20, 30), (50, 60), (60, 70)]
TITLES = ["Rivers", "Lakes", "Seas", "Oceans", "Ponds"]
NOTES = ["Never dry", "Often deep", "Very salty", "Quite blue", "Rather small"]
HEARD = [
    (2.0, "Marta Lindqvist mapped the water."),
    (12.0, "The water of Vanern is fresh."),
    (22.0, "Salt fills Tonga to the brim."),
    (34.0, "Nobody looked at this sentence."),
    (52.0, "Peter Olsen sailed the ocean."),
]
LENGTH = 80.0


@pytest.fixture
def holed() -> list[Evidence]:
    rows: Rows = []
    for place, (start, end) in enumerate(LOOKED_AT):
        rows += [("shot", start, end, f"shot {place}"), ("title", start, end, TITLES[place])]
        rows += [("colour", start, end, ("red", "blue", "red", "green", "grey")[place])]
        rows += [("text", start, end, NOTES[place])]
    rows += [("speech", start, start + 3, said) for start, said in HEARD]
    return measured(rows)


@pytest.fixture
def holed_plan(holed: list[Evidence]) -> Plan:
    return EmbeddedPlanner().plan(holed, LENGTH)


OVER_ALL = {
    "open/shots",
    "open/count_titles",
    "list/titles",
    "open/shots_in_colour",
    "open/sentences_with",
    "list/when_colour",
    "open/when_colour",
    "open/title_by_colour",
}


def test_nothing_is_asked_across_what_nobody_looked_at(
    holed: list[Evidence], holed_plan: Plan
) -> None:
    records = judged(holed_plan, holed, LENGTH)
    assert not {r.form for r in records} & OVER_ALL
    facts = {fact.id: fact.value for fact in holed_plan.facts}
    beside = {
        (r.form.partition("_by_")[2], r.answer)
        for r in records
        if r.form.startswith("open/title_by") and r.form.endswith("er_title")
    }
    beside |= {(r.form, r.answer) for r in records if r.form.startswith("open/said_")}
    assert {answer for form, answer in beside if form == "after_title"} == {
        "Lakes",
        "Seas",
        "Ponds",
    }
    assert ("before_title", "Seas") not in beside
    assert {a for form, a in beside if form == "open/said_next"} == {"Lakes", "Seas", "Ponds"}
    assert {r.answer for r in records if r.form == "open/text_next"} == {"Lakes", "Seas", "Ponds"}
    assert {r.answer for r in records if r.form == "list/range"} == {
        "Rivers; Lakes",
        "Rivers; Lakes; Seas",
        "Lakes; Seas",
        "Oceans; Ponds",
    }
    shown = {facts[r.fact_ids[0]] for r in records if r.form == "open/when_title"}
    assert shown == {"Rivers", "Lakes"}, "the others may come earlier, or stay"
    assert {r.answer for r in records if r.form == "open/speech_by_after_speech"} == {
        said for _, said in HEARD[1:] if "Nobody" not in said
    }
    assert not [r for r in records if "support" in r.verdict and r.verdict != "supported"]


ACROSS = """
open/title_by_after_title of Lakes at 1
  What is the title after "Rivers"?
  Lakes => stands
open/title_by_after_title of Oceans at 3
  What is the title after "Seas"?
  Oceans => falls
open/title_by_before_title of Seas at 2
  What is the title before "Oceans"?
  Seas => falls
yesno/text_by_after_title of Quite blue at 3
  Does it say "Quite blue" after "Seas"?
  Yes => falls
open/text_next of Lakes + Never dry at 1
  What comes after the slide with "Never dry"?
  Lakes => stands
open/text_next of Oceans + Very salty at 3
  What comes after the slide with "Very salty"?
  Oceans => falls
open/said_next of Lakes + mention:Marta Lindqvist at 1
  What comes after the slide that mentions Marta Lindqvist?
  Lakes => stands
list/range of Rivers + Lakes at 0 to 1
  Which titles are shown between 00:00 and 00:20?
  Rivers; Lakes => stands
list/range of Rivers + Seas at 0 to 2
  Which titles are shown between 00:00 and 00:30?
  Rivers; Seas => falls
list/range of Seas + Oceans at 2 to 3
  Which titles are shown between 00:20 and 01:00?
  Seas; Oceans => falls
open/when_title of Lakes at 1
  When does "Lakes" appear?
  00:10 => stands
open/when_title of Oceans at 3
  When does "Oceans" appear?
  00:50 => falls
open/count_titles of Rivers + Lakes + Seas + Oceans + Ponds at 0 to 4
  How many titles are there?
  5 => falls
open/shots_in_colour of red at 0 to 4
  How many shots are red?
  2 => falls
open/title_by_colour of Oceans at 3
  What is the title of the green slide?
  Oceans => falls
"""


def across() -> list[tuple[str, ...]]:
    lines = ACROSS.strip().splitlines()
    rows: list[tuple[str, ...]] = []
    for head, question, answered in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        form, _, cited = head.partition(" of ")
        values, _, place = cited.rpartition(" at ")
        answer, _, stands = answered.strip().partition(" => ")
        rows.append((form, values, place, question.strip(), answer, stands))
    return rows


@pytest.mark.parametrize(("form", "values", "place", "question", "answer", "stands"), across())
def test_the_verifier_sees_what_nobody_looked_at(
    holed: list[Evidence], holed_plan: Plan, form: str, values: str, place: str, question: str,
    answer: str, stands: str,
) -> None:  # fmt: skip
    cited = [value.rpartition(":")[::2] for value in values.split(" + ")]
    ids = [fact_id(holed_plan, value, kind) for kind, value in cited]
    first, _, last = place.partition(" to ")
    span = (LOOKED_AT[int(first)][0], LOOKED_AT[int(last or first)][1])
    asked = record(form, question, answer, ids, [span])
    found = EmbeddedVerifier().verify([asked], holed_plan, holed)[0].verdict
    assert (found == "supported") == (stands == "stands"), found


@pytest.mark.parametrize(
    ("shots", "seconds", "expected"),
    [
        ([(0, 10), (10, 20)], 20.0, []),
        ([(0, 10), (10.04, 20)], 20.03, []),
        ([(0, 10), (12, 20)], 20.0, [(10, 12)]),
        ([(0, 10), (10, 20)], 30.0, [(20, 30.0)]),
        ([(1.4, 10), (10, 21.4)], 20.0, []),
        ([(-0.2, 10), (10, 19.8)], 20.0, []),
        ([], 20.0, []),
    ],
)
def test_holes(shots: list[Span], seconds: float, expected: list[Span]) -> None:
    assert holes(shots, seconds) == expected
