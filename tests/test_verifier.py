"""The embedded verifier: what it lets stand, what it rejects and why."""

import pytest
from kettle import SECONDS, fact_id, record

from agents.embedded.team import embedded_team
from agents.embedded.verifier import EmbeddedVerifier
from agents.team import Assignment, Plan
from tools.evidence import Evidence
from training.corpus import REFUSAL, Record
from training.facts import Span

pytest_plugins = ("kettle",)

SPANS: dict[str, list[Span]] = {
    "shot 1": [(0.0, 10.0)],
    "shot 2": [(10.0, 20.0)],
    "shot 3": [(20.0, 30.0)],
    "shots 1 and 3": [(0.0, 10.0), (20.0, 30.0)],
    "all": [(0.0, 30.0)],
    "after the end": [(60.0, 70.0)],
    "nowhere": [],
}
FIRST, SECOND = SPANS["shot 1"], SPANS["shot 2"]

# A form with the values of its facts and its spans; the question; the answer, and what the verdict
# has in it.
SINGLE = """
open/title_by_time of The Copper Kettle in shot 1
  What is the title at 00:03?
  The copper kettle => supported
open/title_by_time of The Copper Kettle in shot 1
  What is the title at 00:03?
  The Tin Kettle => support
open/title_by_time of The Copper Kettle in shot 2
  What is the title at 00:13?
  The Copper Kettle => support
open/title_by_time of The Copper Kettle in shot 1
  What is the title at 00:03?
  Kettle => support
open/title_by_time of The Copper Kettle in shot 1
  What is the title at 00:25?
  The Copper Kettle => another time
yesno/title_by_time of The Copper Kettle in shot 1
  Is the title "The Copper Kettle" at 00:25?
  Yes => support
open/colour_by_time of blue in shot 2
  Which colour is it at 00:13?
  blue => supported
open/colour_by_time of blue in shot 2
  Which colour is it at 00:13?
  red => support
open/when_title of Marta Lindqvist in shot 2
  When is "Marta Lindqvist" shown?
  00:10 => supported
open/when_title of Marta Lindqvist in shot 2
  When is "Marta Lindqvist" shown?
  00:21 => support
open/when_title of Marta Lindqvist in shot 2
  When is "Anna Weber" shown?
  00:10 => does not name
open/when_speech of The harbour has twelve cranes. in shot 3
  When is "harbour has twelve" said?
  00:21 => supported
open/shots of 3 in all
  How many shots are there?
  3 => supported
open/shots of 3 in all
  How many shots are there?
  4 => support
open/duration of 00:30 in all
  How long is it?
  00:30 => supported
open/count_text of Made in Bergen + Sold in Oslo in shot 1
  How many lines are there?
  2 => supported
open/count_text of Made in Bergen + Sold in Oslo in shot 1
  How many lines are there?
  3 => support
yesno/title_by_time of The Copper Kettle in shot 1
  Is the title "The Copper Kettle" at 00:03?
  Yes => supported
yesno/title_by_time of The Copper Kettle in shot 1
  Is the title "Northgate Harbour" at 00:03?
  No => supported
yesno/title_by_time of The Copper Kettle in shot 1
  Is the title "Northgate Harbour" at 00:03?
  Yes => support
yesno/title_by_time of The Copper Kettle in shot 1
  Is the title "the copper kettle" at 00:03?
  No => support
yesno/colour_by_time of red in shot 1
  Is it red at 00:03?
  Maybe => neither yes nor no
yesno/order of The Copper Kettle + Northgate Harbour in shots 1 and 3
  Does "The Copper Kettle" come before "Northgate Harbour"?
  Yes => supported
yesno/order of Northgate Harbour + The Copper Kettle in shots 1 and 3
  Does "Northgate Harbour" come before "The Copper Kettle"?
  Yes => support
choice/colour_by_time of red in shot 1
  Which colour at 00:03? A) blue B) red C) green
  B) red => supported
choice/colour_by_time of red in shot 1
  Which colour at 00:03? A) blue B) red C) green
  A) red => none of its options
choice/colour_by_time of red in shot 1
  Which colour at 00:03? A) blue B) red C) red
  B) red => told apart
choice/text_by_time of Made in Bergen in shot 1
  Which line at 00:03? A) Sold in Oslo B) Made in Bergen
  B) Made in Bergen => right too
list/text of Made in Bergen + Sold in Oslo in shot 1
  Which lines are shown at 00:03?
  Made in Bergen; Sold in Oslo => supported
list/text of Made in Bergen + Sold in Oslo in shot 1
  Which lines are shown at 00:03?
  Made in Bergen => not whole
list/text of Made in Bergen + Sold in Oslo in shot 1
  Which lines are shown at 00:03?
  Made in Bergen; Sold in Oslo; Made in Kiel => support
list/titles of The Copper Kettle + Marta Lindqvist + Northgate Harbour in all
  Which titles are shown?
  The Copper Kettle; Marta Lindqvist; Northgate Harbour => supported
summary/span of The Copper Kettle + red in shot 1
  What happens at 00:03?
  The Copper Kettle; red => supported
summary/span of The Copper Kettle + red in shot 1
  What happens at 00:03?
  The Copper Kettle; blue => support
absent/when_title of  in nowhere
  When is "Deep Sea" shown?
  REFUSED => supported
absent/when_title of  in nowhere
  When is "Northgate Harbour" shown?
  REFUSED => does show
absent/when_speech of  in nowhere
  When is "bought the kettle" said?
  REFUSED => does show
absent/title of  in nowhere
  Which title is shown at 00:12?
  REFUSED => does show
absent/title of  in nowhere
  Which title is shown at 59:00?
  REFUSED => supported
absent/about of  in nowhere
  What is said about Marta Lindqvist?
  REFUSED => does show
absent/who of  in nowhere
  Who bought the kettle in 1921?
  REFUSED => does show
absent/who of  in nowhere
  Who sold the lamp in 1921?
  REFUSED => supported
absent/who of  in nowhere
  Who sold the lamp in 1921?
  Anna Weber => not refused
open/title_by_time of The Copper Kettle in shot 1
  ?!
  The Copper Kettle => empty
open/title_by_time of  in shot 1
  What is the title at 00:03?
  The Copper Kettle => no fact
open/title_by_time of The Copper Kettle in after the end
  What is the title at 01:03?
  The Copper Kettle => outside
"""


def single_records() -> list[tuple[str, ...]]:
    lines = SINGLE.strip().splitlines()
    rows: list[tuple[str, ...]] = []
    for head, question, answered in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        form, _, cited = head.partition(" of ")
        values, _, spans = cited.rpartition(" in ")
        answer, _, verdict = answered.strip().partition(" => ")
        rows.append((form, values, spans, question.strip(), answer, verdict))
    return rows


@pytest.mark.parametrize(
    ("form", "values", "spans", "question", "answer", "verdict"), single_records()
)
def test_single_records(
    plan: Plan, evidence: list[Evidence], form: str, values: str, spans: str, question: str,
    answer: str, verdict: str,
) -> None:  # fmt: skip
    ids = [fact_id(plan, value) for value in values.split(" + ") if value]
    answer = REFUSAL if answer == "REFUSED" else answer
    asked = record(form, question, answer, ids, SPANS[spans])
    judged = EmbeddedVerifier().verify([asked], plan, evidence)[0].verdict
    assert verdict in judged
    assert (judged == "supported") == (verdict == "supported")
    assert judged == "supported" or judged.startswith("rejected: ")


def test_what_a_sentence_says(plan: Plan, evidence: list[Evidence]) -> None:
    who = fact_id(plan, "Marta Lindqvist", "who")
    gap = fact_id(plan, "Northgate", "cloze")
    said, later = [(1.0, 4.0)], [(21.0, 24.0)]
    asked = 'Is "{} bought the kettle in 1921" said?'
    rows = [
        (record("open/who", "Who bought the kettle?", "Marta Lindqvist", [who], said), True),
        (record("open/who", "Who bought it?", "Anna Weber", [who], said), False),
        (record("open/who", "Who bought it?", "the kettle", [who], said), False),
        (record("open/who", "Who was the buyer?", "Marta Lindqvist", [who], later), False),
        (record("open/cloze", "A secret of ____.", "Northgate", [gap], [(11.0, 14.0)]), True),
        (record("yesno/who", asked.format("Marta Lindqvist"), "Yes", [who], said), True),
        (record("yesno/who", asked.format("Anna Weber"), "No", [who], said), True),
        (record("yesno/who", asked.format("Peter Olsen"), "Yes", [who], said), False),
    ]
    judged = EmbeddedVerifier().verify([row for row, _ in rows], plan, evidence)
    assert [r.verdict == "supported" for r in judged] == [right for _, right in rows]


def test_unknown_facts(plan: Plan, evidence: list[Evidence]) -> None:
    asked = record(
        "open/title_by_time", "What is the title?", "The Copper Kettle", ["f9999"], FIRST
    )
    assert (
        EmbeddedVerifier().verify([asked], plan, evidence)[0].verdict
        == "rejected: there is no fact f9999"
    )


def test_ambiguous_repeated_and_leaked(plan: Plan, evidence: list[Evidence]) -> None:
    kettle, marta = fact_id(plan, "The Copper Kettle"), fact_id(plan, "Marta Lindqvist")
    form = "open/title_by_title"
    records = [
        record(form, "What is the title?", "The Copper Kettle", [kettle], FIRST),
        record(form, "what is the title", "Marta Lindqvist", [marta], SECOND, "check"),
        record(form, "Which title is first?", "The Copper Kettle", [kettle], FIRST),
        record(form, "Which title is first", "The Copper Kettle", [kettle], FIRST),
        record(form, "Which title is FIRST?", "The Copper Kettle", [kettle], FIRST, "exam"),
        record(form, "Which title opens it?", "The Copper Kettle", [kettle], FIRST, "exam"),
        record(form, "Which title opens it?", "The Copper Kettle", [kettle], FIRST, "check"),
        # What is not supported makes nothing else ambiguous.
        record(form, "Which title is second?", "Marta Lindqvist", [marta], SECOND),
        record(form, "Which title is second?", "Nobody", [marta], SECOND),
    ]
    verdicts = [r.verdict for r in EmbeddedVerifier().verify(records, plan, evidence)]
    reasons = ["another answer", "another answer", "supported", "repeats", "training question"]
    reasons += ["supported", "supported", "supported", "support"]
    assert all(reason in verdict for reason, verdict in zip(reasons, verdicts, strict=True))


def test_the_team_passes_its_own_verifier(plan: Plan, evidence: list[Evidence]) -> None:
    team = embedded_team()
    judged: list[Record] = []
    for seed, span in enumerate([*plan.spans, None]):
        assignment = Assignment(video_id="v", span=span, plan=plan, seconds=SECONDS, seed=seed)
        written = [*team.describer.describe(assignment), *team.question_writer.write(assignment)]
        judged += team.verifier.verify(written, plan, evidence)
    assert {r.kind for r in judged} == {"description", "qa", "absent"}
    kept = [r for r in judged if r.verdict == "supported"]
    assert len(kept) > 0.9 * len(judged)
    unsupported = [r for r in judged if "support the answer" in r.verdict]
    assert not unsupported
    covered = {fact_id for r in kept if r.split == "train" for fact_id in r.fact_ids}
    assert covered == {fact.id for fact in plan.facts}
