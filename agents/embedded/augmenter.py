"""New wordings of the facts that an examination found unknown: turned round, and set apart."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agents.records import RecordMaker
from agents.team import Failure
from training.corpus import Record
from training.facts import Fact
from training.scoring import fold
from training.wording.absent import absent_ask
from training.wording.asks import Ask, asks_of, video_asks
from training.wording.hops import hop_asks
from training.wording.phrasing import word
from training.wording.timeline import Timeline
from training.worlds.words import everyday_words

# New questions for one failed record: in its own form, in the fact's other forms (which turn it
# round), and against the fact that it was taken for.
SAME_FORM, OTHER_FORMS, AGAINST = 12, 10, 4
ABSENT = 8


def augment(
    failures: Sequence[Failure], timeline: Timeline, maker: RecordMaker, rng: random.Random
) -> Iterator[Record]:
    """Yield training records about the facts of failed records."""
    facts = {fact.id: fact for fact in timeline.facts}
    over_all = [*video_asks(timeline), *hop_asks(timeline)]
    for failure in failures:
        if failure.record.kind == "absent":
            for _ in range(ABSENT):
                asked = word(absent_ask(timeline, rng, everyday_words()), "train", rng)
                yield maker.ask(asked, "absent", "train")
        missed = [facts[fact_id] for fact_id in failure.record.fact_ids if fact_id in facts]
        if not missed:
            continue
        told = missed[0]
        asks = list(_asks(timeline, told)) + [
            ask for ask in over_all if list(ask.fact_ids) == failure.record.fact_ids
        ]
        same = [ask for ask in asks if ask.form == failure.record.form]
        others = [ask for ask in asks if ask.form != failure.record.form]
        chosen = [
            *(rng.choice(same) for _ in range(SAME_FORM if same else 0)),
            *(rng.choice(others) for _ in range(OTHER_FORMS if others else 0)),
            *_against(asks, _taken_for(failure, told, timeline), rng),
        ]
        for ask in chosen:
            yield maker.ask(word(ask, "train", rng), "qa", "train")


def _asks(timeline: Timeline, fact: Fact) -> Iterator[Ask]:
    if fact.id in timeline.first_shot:
        yield from asks_of(timeline, timeline.first_shot[fact.id], fact)


def _taken_for(failure: Failure, told: Fact, timeline: Timeline) -> str:
    """Return the other value of the fact's kind that was answered in its place, or nothing."""
    given = fold(failure.answer)
    others = (fact.value for fact in timeline.facts if fact.attribute == told.attribute)
    return next((value for value in others if fold(value) == given != fold(told.value)), "")


def _against(asks: Sequence[Ask], taken_for: str, rng: random.Random) -> Iterator[Ask]:
    """Yield choices and yes/no questions between a value and the one it was taken for."""
    closed = [ask for ask in asks if taken_for and taken_for in ask.wrong]
    for _ in range(AGAINST if closed else 0):
        yield replace(rng.choice(closed), wrong=(taken_for,))
