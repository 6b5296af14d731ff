"""Records that join facts: the true ones stand before the verifier, the false ones do not."""

import pytest
from kettle import Measured, fact_id, record

from agents.embedded.evidence_index import EvidenceIndex
from agents.embedded.joined_judgements import UNJOINED, JoinedJudge
from agents.embedded.team import embedded_team
from agents.embedded.verifier import EmbeddedVerifier
from agents.team import Assignment, Plan
from tools.evidence import Evidence, Kind
from training.corpus import Record
from training.facts import Span

pytest_plugins = ("kettle",)

SECONDS = 40.0
SHOTS: list[Span] = [(0.0, 10.0), (10.0, 14.0), (14.0, 24.0), (24.0, 40.0)]
EVIDENCE: list[tuple[Kind, float, float, str]] = [
    ("shot", 0, 10, "shot 1"),
    ("shot", 10, 14, "shot 2"),
    ("shot", 14, 24, "shot 3"),
    ("shot", 24, 40, "shot 4"),
    ("title", 0, 10, "The Copper Kettle"),
    ("title", 10, 14, "Early Days"),
    ("title", 14, 24, "Northgate Harbour"),
    ("title", 24, 40, "Winter Trade"),
    ("text", 0, 10, "Made in Bergen"),
    ("text", 14, 24, "Twelve cranes"),
    ("colour", 0, 10, "red"),
    ("colour", 10, 14, "blue"),
    ("colour", 14, 24, "red"),
    ("colour", 24, 40, "green"),
    ("speech", 1, 4, "Marta Lindqvist bought the kettle in 1921."),
    ("speech", 11, 13, "A copper kettle was sold to Peter Olsen."),
    ("speech", 15, 18, "The harbour has twelve cranes."),
    ("speech", 25, 29, "Nobody in Tromso needs a kettle."),
]


@pytest.fixture
def measurements() -> Measured:
    return EVIDENCE, SECONDS


# A form with its facts (a colour by its shot, a name said by its kind of relation); the question;
# the answer, and whether it stands.
JOINED = """
open/said_title of The Copper Kettle + mention:Marta Lindqvist in 1
  Which slide mentions Marta Lindqvist?
  the copper kettle => stands
open/said_title of Early Days + mention:Marta Lindqvist in 2
  Which slide mentions Marta Lindqvist?
  Early Days => falls: the wrong slide
open/said_title of The Copper Kettle + mention:Marta Lindqvist in 1
  Which slide mentions Marta Lindqvist?
  Early Days => falls: another title than its fact's
open/said_title of The Copper Kettle + mention:Marta Lindqvist in 1
  Which slide mentions Peter Olsen?
  The Copper Kettle => falls: a name that is not said there
open/said_title of The Copper Kettle + mention:Marta Lindqvist in 1
  Which slide mentions Anna Weber?
  The Copper Kettle => falls: a name that nobody says
open/said_colour of colour:1 + mention:Marta Lindqvist in 1
  Which colour is it when Marta Lindqvist is mentioned?
  Red => stands
open/said_colour of colour:2 + mention:Marta Lindqvist in 2
  Which colour is it when Marta Lindqvist is mentioned?
  blue => falls: the colour of another shot
open/said_colour of colour:1 + mention:Marta Lindqvist in 1
  Which colour is it when Marta Lindqvist is mentioned?
  green => falls: the wrong colour
open/said_colour of colour:1 + mention:Marta Lindqvist in 1
  Which colour is it when Peter Olsen is mentioned?
  red => falls: a name that is not said there
open/said_next of Early Days + mention:Marta Lindqvist in 2
  What comes after the slide that mentions Marta Lindqvist?
  Early Days => stands
open/said_next of The Copper Kettle + mention:Marta Lindqvist in 1
  What comes after the slide that mentions Marta Lindqvist?
  The Copper Kettle => falls: the slide itself
open/said_next of Northgate Harbour + mention:Marta Lindqvist in 3
  What comes after the slide that mentions Marta Lindqvist?
  Northgate Harbour => falls: the slide after the next
open/said_next of Early Days + mention:Marta Lindqvist in 2
  What comes after the slide that mentions Anna Weber?
  Early Days => falls: a name that is not said there
open/said_previous of The Copper Kettle + mention:Peter Olsen in 1
  What comes before the slide that mentions Peter Olsen?
  The Copper Kettle => stands
open/said_previous of Northgate Harbour + mention:Peter Olsen in 3
  What comes before the slide that mentions Peter Olsen?
  Northgate Harbour => falls: the slide after it
open/said_previous of The Copper Kettle + mention:Peter Olsen in 1
  What comes before the slide that mentions Marta Lindqvist?
  The Copper Kettle => falls: a name that is not said there
open/text_next of Early Days + Made in Bergen in 2
  What follows the slide with "Made in Bergen"?
  Early Days => stands
open/text_next of Northgate Harbour + Made in Bergen in 3
  What follows the slide with "Made in Bergen"?
  Northgate Harbour => falls: the wrong slide
open/text_next of Early Days + Made in Bergen in 2
  What follows the slide with "Twelve cranes"?
  Early Days => falls: a line that is not shown there
open/shots_in_colour of colour:1 + colour:3 in all
  How many shots are red?
  2 => stands
open/shots_in_colour of colour:1 + colour:3 in all
  How many shots are red?
  3 => falls: the wrong count
open/shots_in_colour of colour:2 in all
  How many shots are blue?
  1 => stands
open/shots_in_colour of colour:1 + colour:3 in all
  How many shots are green?
  2 => falls: the wrong colour
open/sentences_with of speech:1 + speech:2 + speech:4 in all
  How many sentences mention "kettle"?
  3 => stands
open/sentences_with of speech:1 + speech:2 + speech:4 in all
  How many sentences mention "kettle"?
  2 => falls: the wrong count
open/sentences_with of speech:1 + speech:2 in all
  How many sentences mention "kettle"?
  2 => falls: one sentence is left out
open/sentences_with of speech:1 + speech:2 + speech:4 in all
  How many sentences mention "harbour"?
  3 => falls: a word that they do not have
open/first_of of The Copper Kettle + Northgate Harbour + Winter Trade in 1
  Which is first: "Winter Trade", "The Copper Kettle" or "Northgate Harbour"?
  The Copper Kettle => stands
open/first_of of Northgate Harbour + The Copper Kettle + Winter Trade in 3
  Which is first: "Winter Trade", "The Copper Kettle" or "Northgate Harbour"?
  Northgate Harbour => falls: the wrong order
open/first_of of The Copper Kettle + Northgate Harbour + Winter Trade in 1
  Which is first: "Early Days", "The Copper Kettle" or "Northgate Harbour"?
  The Copper Kettle => falls: another slide is named
open/first_of of The Copper Kettle + Northgate Harbour in 1
  Which is first: "The Copper Kettle" or "Northgate Harbour"?
  The Copper Kettle => falls: two are not three
open/last_of of Winter Trade + The Copper Kettle + Northgate Harbour in 4
  Which is last: "Winter Trade", "The Copper Kettle" or "Northgate Harbour"?
  Winter Trade => stands
open/last_of of The Copper Kettle + Northgate Harbour + Winter Trade in 1
  Which is last: "Winter Trade", "The Copper Kettle" or "Northgate Harbour"?
  The Copper Kettle => falls: the wrong order
open/longer of Winter Trade + Early Days in 4
  Which is shown longer, "Early Days" or "Winter Trade"?
  Winter Trade => stands
open/longer of Early Days + Winter Trade in 2
  Which is shown longer, "Early Days" or "Winter Trade"?
  Early Days => falls: the shorter one
open/longer of Winter Trade + Early Days in 4
  Which is shown longer, "Early Days" or "Winter Trade"?
  Early Days => falls: another answer than its facts
open/longer of The Copper Kettle + Northgate Harbour in 1
  Which is shown longer, "The Copper Kettle" or "Northgate Harbour"?
  The Copper Kettle => falls: both are as long
open/longer of Winter Trade + Early Days in 4
  Which is shown longer, "The Copper Kettle" or "Winter Trade"?
  Winter Trade => falls: another slide is named
yesno/same_colour of The Copper Kettle + Northgate Harbour + colour:1 + colour:3 in 1
  Do "The Copper Kettle" and "Northgate Harbour" have the same colour?
  Yes => stands
yesno/same_colour of The Copper Kettle + Northgate Harbour + colour:1 + colour:3 in 1
  Do "The Copper Kettle" and "Northgate Harbour" have the same colour?
  No => falls: they have
yesno/same_colour of The Copper Kettle + Early Days + colour:1 + colour:2 in 1
  Do "The Copper Kettle" and "Early Days" have the same colour?
  No => stands
yesno/same_colour of The Copper Kettle + Early Days + colour:1 + colour:2 in 1
  Do "The Copper Kettle" and "Early Days" have the same colour?
  Yes => falls: they have not
yesno/same_colour of The Copper Kettle + Early Days + colour:1 + colour:3 in 1
  Do "The Copper Kettle" and "Early Days" have the same colour?
  Yes => falls: the colour is another slide's
yesno/same_colour of The Copper Kettle + Northgate Harbour + colour:1 + colour:3 in 1
  Do "The Copper Kettle" and "Winter Trade" have the same colour?
  Yes => falls: another slide is named
"""


def joined_records() -> list[tuple[str, ...]]:
    lines = JOINED.strip().splitlines()
    rows: list[tuple[str, ...]] = []
    for head, question, answered in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        form, _, cited = head.partition(" of ")
        facts, _, shot = cited.rpartition(" in ")
        answer, _, judged = answered.strip().partition(" => ")
        rows.append((form, facts, shot, question.strip(), answer, judged))
    return rows


def cited_id(plan: Plan, name: str) -> str:
    """Return the id of a fact: a look or a sentence by its shot, a relation by its kind."""
    kind, _, value = name.rpartition(":")
    if kind in ("colour", "speech"):
        start, end = SHOTS[int(value) - 1]
        inside = (f for f in plan.facts if start <= f.spans[0][0] < end and f.attribute == kind)
        return next(inside).id
    return fact_id(plan, value, kind)


def verdict(plan: Plan, evidence: list[Evidence], judged: Record) -> str:
    return EmbeddedVerifier().verify([judged], plan, evidence)[0].verdict


@pytest.mark.parametrize(
    ("form", "facts", "shot", "question", "answer", "judged"), joined_records()
)
def test_joined_records(
    plan: Plan, evidence: list[Evidence], form: str, facts: str, shot: str, question: str,
    answer: str, judged: str,
) -> None:  # fmt: skip
    ids = [cited_id(plan, name) for name in facts.split(" + ")]
    spans = [(0.0, SECONDS)] if shot == "all" else [SHOTS[int(shot) - 1]]
    found = verdict(plan, evidence, record(form, question, answer, ids, spans))
    assert found == ("supported" if judged == "stands" else f"rejected: {UNJOINED}")


def test_every_joined_form_has_a_record_that_stands_and_one_that_falls() -> None:
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for form, *_, judged in joined_records():
        found[judged == "stands"].add(form)
    assert found[True] == found[False]
    assert len(found[True]) == 11


def test_what_the_evidence_no_longer_shows_falls(plan: Plan, evidence: list[Evidence]) -> None:
    ids = [cited_id(plan, name) for name in ("The Copper Kettle", "mention:Marta Lindqvist")]
    question = "Which slide mentions Marta Lindqvist?"
    asked = record("open/said_title", question, "The Copper Kettle", ids, [SHOTS[0]])
    assert verdict(plan, evidence, asked) == "supported"
    for gone in ("The Copper Kettle", "Marta Lindqvist bought the kettle in 1921."):
        rest = [item for item in evidence if item.value != gone]
        assert verdict(plan, rest, asked) == f"rejected: {UNJOINED}"


def test_a_count_is_of_the_whole_video_and_not_of_the_facts(
    plan: Plan, evidence: list[Evidence]
) -> None:
    question = "How many shots are red?"
    one = [cited_id(plan, "colour:1")]
    for answer, expected in (("1", f"rejected: {UNJOINED}"), ("2", "supported")):
        asked = record("open/shots_in_colour", question, answer, one, [(0.0, SECONDS)])
        assert verdict(plan, evidence, asked) == expected


@pytest.mark.parametrize(
    "form",
    ["open/said_title", "open/said_next", "open/text_next", "open/longer", "yesno/same_colour"],
)
def test_a_record_that_cites_too_few_facts_falls(
    plan: Plan, evidence: list[Evidence], form: str
) -> None:
    question = 'Which slide has "The Copper Kettle"?'
    one = [cited_id(plan, "The Copper Kettle")]
    found = verdict(plan, evidence, record(form, question, "The Copper Kettle", one, [SHOTS[0]]))
    assert found == f"rejected: {UNJOINED}"


def test_the_writers_own_joined_records_all_pass(plan: Plan, evidence: list[Evidence]) -> None:
    judge = JoinedJudge(evidence, EvidenceIndex(evidence))
    forms: set[str] = set()
    for seed in range(3):
        assignment = Assignment(video_id="v", span=None, plan=plan, seconds=SECONDS, seed=seed)
        written = embedded_team().question_writer.write(assignment)
        joined = [r for r in written if judge.judges(r.form)]
        forms |= {r.form for r in joined}
        judged = EmbeddedVerifier().verify(joined, plan, evidence)
        unjoined = [r for r in judged if UNJOINED in r.verdict]
        assert not [(r.form, r.question, r.answer) for r in unjoined]
        splits = {r.split for r in judged if r.verdict == "supported"}
        assert splits == {"train", "exam", "calibrate", "check"}
    assert forms == {form for form, *_ in joined_records()}
