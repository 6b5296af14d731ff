"""The question-writer without a language model: every fact in many forms, by the shared grammar."""

import random
from collections.abc import Iterable, Iterator, Sequence

from agents.embedded.augmenter import augment
from agents.embedded.timelines import Timelines, shot_index
from agents.records import RecordMaker
from agents.team import Assignment, Failure, Rejection, exam_mark
from training.corpus import Record, Split
from training.wording.absent import absent_ask
from training.wording.asks import Ask, asks_of, by_form, video_asks
from training.wording.hops import hop_asks
from training.wording.phrasing import word
from training.wording.timeline import Timeline
from training.worlds.words import everyday_words

# Words cost nothing here, and the more of them a fact is asked in, the better its adapter answers
# in words that it never met: on the sample clip 12 open wordings a fact gave 0.48 of those, 40 gave
# 0.74. A long video gets fewer, so that its corpus stays of a size.
MOST_WORDINGS, FEWEST_WORDINGS = 100, 12
RECORDS = 12_000
# Open wordings by each form that a fact has: more alike would be steps that other facts need.
MOST_ALIKE = 40
# What a sentence says is asked in its words alone, where many cues lead to what is seen; beside so
# many absent questions of its kind it would be refused: so many times the wordings.
SAID = 1.6
CLOSED_SHARE = 0.12
# At 0.03 more than half of the absent questions were answered, at 0.1 a fifth; at this fewer, and
# what is shown is answered no worse.
ABSENT_SHARE = 0.18
HELD_OUT: tuple[Split, ...] = ("exam", "calibrate", "check")
HELD_OUT_WORDINGS = 2
# Absent questions of a held-out split: at least one a shot, and about so many in all.
HELD_OUT_ABSENT = 54
# So many times as many to fit the confidence on: its threshold is the edge of a twentieth of them.
CALIBRATE_ABSENT = 3
WHOLE_VIDEO_WORDINGS, WHOLE_VIDEO_PART_WORDINGS = 50, 5
# What joins facts is asked in a share of the wordings of a fact: most where a form has few ways to
# join, so that each form comes to about as many records.
MOST_JOINED, FEWEST_JOINED, JOINED_IN_ALL = 0.4, 0.15, 2.5
# Over the whole video there are as many absent questions as among so many others: a short video
# needs no fewer of them than a long one, for what is not in it is as large.
WHOLE_VIDEO_ABSENT_AMONG = 3000
TRIES = 8


class EmbeddedQuestionWriter:
    """Asks each fact in its shot, and the whole video in the last assignment."""

    def __init__(self, timelines: Timelines) -> None:
        self._timelines = timelines

    def write(self, assignment: Assignment) -> list[Record]:
        """Return the records of a span's own facts, or those over the whole video."""
        timeline = self._timelines.knowing(assignment)
        rng = random.Random(f"questions-{assignment.seed}")
        maker = RecordMaker(assignment, "q")
        if assignment.span is None:
            return list(self._whole(timeline, maker, rng))
        index = shot_index(timeline, assignment.span)
        records: list[Record] = []
        for fact in timeline.shots[index].facts:
            if timeline.first_shot[fact.id] != index:
                continue
            asks = list(asks_of(timeline, index, fact))
            wordings = _wordings(timeline) * (SAID if fact.relation else 1)
            records += _train(asks, round(wordings), maker, rng)
            records += _held_out(asks, maker, rng)
        records += _absent(timeline, len(records), maker, rng)
        return records

    def revise(self, rejections: Sequence[Rejection], assignment: Assignment) -> list[Record]:
        """Ask once more, in other words, what was rejected for its words: repeats, leaks, doubts.

        What the evidence does not support cannot be mended by rewording and is left out.
        """
        timeline = self._timelines.knowing(assignment)
        rng = random.Random(f"revise-{assignment.seed}")
        maker = RecordMaker(assignment, "r")
        facts = {fact.id: fact for fact in timeline.facts}
        whole = [*video_asks(timeline), *hop_asks(timeline)] if assignment.span is None else []
        revised = []
        for rejection in rejections:
            record = rejection.record
            if record.kind != "qa" or not record.fact_ids or "support" in rejection.reason:
                continue
            fact = facts.get(record.fact_ids[0])
            asks = whole or (
                list(asks_of(timeline, timeline.first_shot[fact.id], fact)) if fact else []
            )
            asks = [ask for ask in asks if ask.category == record.category]
            if asks:
                again = word(rng.choice(asks), record.split, rng)
                revised.append(maker.ask(again, "qa", record.split, record_id=record.id))
        return revised

    def augment(
        self, failures: Sequence[Failure], assignment: Assignment, exam: int
    ) -> list[Record]:
        """Return new training records of the facts that an examination found unknown."""
        timeline = self._timelines.knowing(assignment)
        rng = random.Random(f"augment-{assignment.seed}-{exam}")
        return list(augment(failures, timeline, RecordMaker(assignment, exam_mark(exam)), rng))

    def _whole(
        self, timeline: Timeline, maker: RecordMaker, rng: random.Random
    ) -> Iterator[Record]:
        for form, asks in by_form(video_asks(timeline)).items():
            # Pairs of titles grow with the square of the video: a bounded share of each form.
            chosen = rng.sample(asks, min(len(asks), max(4, len(timeline.shots))))
            alone = form in ("list/titles", "summary/video") or len(asks) == 1
            wordings = WHOLE_VIDEO_WORDINGS if alone else WHOLE_VIDEO_PART_WORDINGS
            yield from _words(_times(chosen, wordings), "train", maker, rng)
            for split in HELD_OUT:
                held_out = rng.sample(chosen, min(HELD_OUT_WORDINGS, len(chosen)))
                yield from _words((held_out * 2)[:HELD_OUT_WORDINGS], split, maker, rng)
        for asks in by_form(hop_asks(timeline)).values():
            chosen = rng.sample(asks, min(len(asks), max(12, 3 * len(timeline.shots))))
            share = max(FEWEST_JOINED, min(MOST_JOINED, JOINED_IN_ALL / len(chosen)))
            wordings = max(2, round(_wordings(timeline) * share))
            yield from _words(_times(chosen, wordings), "train", maker, rng)
            for split in HELD_OUT:
                yield from _words(rng.sample(chosen, min(4, len(chosen))), split, maker, rng)
        yield from _absent(timeline, WHOLE_VIDEO_ABSENT_AMONG, maker, rng)


def _times(asks: Iterable[Ask], count: int) -> list[Ask]:
    return [ask for ask in asks for _ in range(count)]


def _wordings(timeline: Timeline) -> int:
    """Return in how many open wordings each fact of a video is trained."""
    return max(FEWEST_WORDINGS, min(MOST_WORDINGS, RECORDS // max(1, len(timeline.facts))))


def _train(asks: list[Ask], count: int, maker: RecordMaker, rng: random.Random) -> list[Record]:
    open_asks = [ask for ask in asks if ask.category in ("open", "list")]
    closed = [ask for ask in asks if ask.category in ("yesno", "choice")]
    open_count = min(count, MOST_ALIKE * len({ask.form for ask in open_asks}))
    closed_count = max(3, round(count * CLOSED_SHARE))
    return [
        *_words(_dealt(open_asks, open_count, rng), "train", maker, rng),
        *_words(_dealt(closed, closed_count, rng), "train", maker, rng),
    ]


def _held_out(asks: list[Ask], maker: RecordMaker, rng: random.Random) -> Iterator[Record]:
    open_asks = [ask for ask in asks if ask.category == "open"]
    closed = [ask for ask in asks if ask.category in ("yesno", "choice")]
    for split in HELD_OUT:
        yield from _words(_dealt(open_asks, HELD_OUT_WORDINGS, rng), split, maker, rng)
        yield from _words(_dealt(closed, 1, rng), split, maker, rng)


def _absent(
    timeline: Timeline, among: int, maker: RecordMaker, rng: random.Random
) -> Iterator[Record]:
    """Yield absent questions to go ``among`` so many records, a few for each held-out split."""
    splits: list[Split] = ["train"] * max(2, round(among * ABSENT_SHARE))
    each = HELD_OUT_ABSENT / len(timeline.shots)
    for split in HELD_OUT:
        splits += [split] * max(1, round(each))
    splits += ["calibrate"] * round((CALIBRATE_ABSENT - 1) * each)
    for split in splits:
        asked = word(absent_ask(timeline, rng, everyday_words()), split, rng)
        yield maker.ask(asked, "absent", split)


def _dealt(asks: list[Ask], count: int, rng: random.Random) -> list[Ask]:
    """Return ``count`` asks: each form once before any form twice, questions of time foremost."""
    found = by_form(asks)
    if not found:
        return []
    forms = sorted(found)
    rng.shuffle(forms)
    # Times in free wordings are what small backbones read worst, so they are asked most.
    timed = [form for form in forms if form.endswith("_by_time")]
    # What is next to something else is learnt slowest.
    neighbours = [form for form in forms if "_by_after_" in form or "_by_before_" in form]
    order = timed + forms + timed + neighbours
    return [rng.choice(found[order[i % len(order)]]) for i in range(count)]


def _words(
    asks: Sequence[Ask], split: Split, maker: RecordMaker, rng: random.Random
) -> Iterator[Record]:
    """Yield asks in words, no question twice."""
    seen: set[str] = set()
    for ask in asks:
        for _ in range(TRIES):
            asked = word(ask, split, rng)
            if asked.question.casefold() not in seen:
                seen.add(asked.question.casefold())
                yield maker.ask(asked, "qa", split)
                break
