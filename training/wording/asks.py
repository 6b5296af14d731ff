"""What can be asked of a fact: the questions' meaning, before it is put into words."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from training.facts import Fact, Relation, Span
from training.wording.timeline import Shot, Timeline, clock, whole_seconds

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
# A value that few shots share still tells a moment apart; more than these would make long answers.
MOST_TIMES = 4
_YEAR = re.compile(r"\d{4}")
# Slots that say the same in fewer words: without the one who did it, or without when.
SHORTER = ("passive", "brief")
_QUOTED = ("title", "text", "speech")
_CLAIMED = (*_QUOTED, "colour", "motion")


@dataclass(frozen=True)
class Cue:
    """Which moment is meant: a time inside ``span``, or what is seen or said then (``value``)."""

    kind: str
    value: str = ""
    span: Span | None = None
    beside: Span | None = None
    """Where the value lies, which the moment comes before or after."""


@dataclass(frozen=True)
class Ask:
    """One meaning of a question: the table of its wordings, its slots, its cue and its answer.

    ``wrong`` holds values that would be wrong here, for yes/no and multiple choice. Values in
    ``quoted`` slots are put in quotation marks or left bare by the phrasing.
    """

    form: str
    table: str
    answer: str
    fact_ids: tuple[str, ...]
    spans: tuple[Span, ...]
    cue: Cue | None = None
    slots: dict[str, str] = field(default_factory=dict)
    quoted: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    anchors: tuple[Span, ...] = ()
    """Where what the question starts from lies, in the order of the way to the answer."""

    @property
    def category(self) -> str:
        """The first part of the form: open, yesno, choice, list, summary."""
        return self.form.split("/")[0]


def cues(timeline: Timeline, index: int, fact: Fact) -> Iterator[Cue]:
    """Yield what tells a fact's shot apart from all others, without telling the fact itself."""
    shot = timeline.shots[index]
    span = shot.span
    if fact.attribute in _QUOTED:
        span = overlap(span, fact.spans)
    if whole_seconds(span):
        yield Cue("time", span=span)
    for attribute in ("title", "text", "colour", "motion", "speech"):
        for other in shot.of(attribute):
            if other.id != fact.id and other.value != "none" and timeline.unique(other):
                yield Cue(attribute, other.value)
    for kind, step in (("after_title", -1), ("before_title", 1)):
        if neighbour := timeline.beside(index, step):
            title = neighbour.first("title")
            if title and title.id != fact.id and timeline.unique(title):
                yield Cue(kind, title.value, beside=overlap(neighbour.span, title.spans))


def asks_of(timeline: Timeline, index: int, fact: Fact) -> Iterator[Ask]:
    """Yield every ask about a fact in one of its shots."""
    if fact.relation is not None:
        for ask in _relation_asks(timeline, fact):
            if ask.cue or len(_answers(timeline).get(_key(ask), ())) < 2:
                yield ask
        return
    shot = timeline.shots[index]
    yield from _value_asks(timeline, index, fact, shot)
    yield from _when_asks(timeline, fact)
    if fact.attribute == "speech":
        yield from _neighbour_asks(timeline, fact)


def fact_asks(timeline: Timeline) -> Iterator[Ask]:
    """Yield every ask about every fact, in each of the shots that it lies in."""
    for index, shot in enumerate(timeline.shots):
        for fact in shot.facts:
            yield from asks_of(timeline, index, fact)


def by_form(asks: Iterable[Ask]) -> dict[str, list[Ask]]:
    """Return asks by their form, forms in the order in which they come."""
    found: defaultdict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        found[ask.form].append(ask)
    return dict(found)


def unique_name(timeline: Timeline, relation: Relation) -> str:
    """Return the name that a relation's sentence is the only one to say, or nothing."""
    if relation.kind not in ("who", "where", "which", "is", "mention"):
        return ""
    name = relation.slots["thing"] if relation.kind == "is" else relation.answer
    once = timeline.says(name) <= {relation.sentence}
    return name if once and any(letter.isupper() for letter in name) else ""


def _value_asks(timeline: Timeline, index: int, fact: Fact, shot: Shot) -> Iterator[Ask]:
    table, slots = f"value.{fact.attribute}", {}
    alike = shot.of(fact.attribute)
    several = len(alike) > 1
    if fact.attribute == "text":
        # Where a line comes again, the order on that screen is not known.
        again = any(len(other.spans) > 1 for other in alike)
        if again or alike.index(fact) >= len(ORDINALS):
            return
        slots = {"n": ORDINALS[alike.index(fact)]}
    true = {"none", *(other.value for other in alike)}
    wrong = tuple(value for value in timeline.values(fact.attribute) if value not in true)
    for cue in cues(timeline, index, fact):
        cued_table, cued_slots = table, slots
        if fact.attribute == "speech" and several and cue.kind != "time":
            if cue.kind == "speech" or alike.index(fact) >= len(ORDINALS):
                continue
            cued_table = "value.speech_nth"
            cued_slots = {"n": ORDINALS[alike.index(fact)]}
        spans = (overlap(shot.span, fact.spans),)
        name = f"{fact.attribute}_by_{cue.kind}"
        yield Ask(f"open/{name}", cued_table, fact.value, (fact.id,), spans, cue, cued_slots)
        if len(wrong) >= 2:
            yield Ask(
                f"choice/{name}", cued_table, fact.value, (fact.id,), spans, cue, cued_slots,
                wrong=wrong,
            )  # fmt: skip
        if wrong and fact.attribute in _CLAIMED and fact.value != "none":
            yield Ask(
                f"yesno/{name}", f"yesno.{fact.attribute}", fact.value, (fact.id,), spans, cue,
                quoted=("x",) if fact.attribute in _QUOTED else (), wrong=wrong,
            )  # fmt: skip


def _when_asks(timeline: Timeline, fact: Fact) -> Iterator[Ask]:
    spans = list(fact.spans)
    if fact.attribute in ("colour", "motion"):
        spans = [
            shot.span
            for shot in timeline.shots
            if any(other.value == fact.value for other in shot.of(fact.attribute))
        ]
    if fact.attribute not in _CLAIMED or fact.value == "none" or len(spans) > MOST_TIMES:
        return
    if fact.attribute != "speech" and timeline.holes:
        # Where shots are missing it may be seen as well, and it may have come there already.
        once = len(spans) == 1 and fact.attribute in _QUOTED
        if not once or not timeline.seen(*spans[0], ends=True):
            return
    yield Ask(
        f"{'open' if len(spans) == 1 else 'list'}/when_{fact.attribute}",
        f"when.{fact.attribute}",
        "; ".join(clock(start) for start, _ in spans),
        (fact.id,),
        tuple(spans),
        slots={"x": fact.value},
        quoted=("x",) if fact.attribute in _QUOTED else (),
    )


def _neighbour_asks(timeline: Timeline, fact: Fact) -> Iterator[Ask]:
    sentences = timeline.sentences
    place = next(i for i, other in enumerate(sentences) if other.id == fact.id)
    for kind, other in (("after_speech", place - 1), ("before_speech", place + 1)):
        if not 0 <= other < len(sentences):
            continue
        once = all(len(said.spans) == 1 for said in (fact, sentences[other]))
        if once and timeline.uses[("speech", fact.value.casefold())] <= 1:
            yield Ask(
                f"open/speech_by_{kind}", "value.speech", fact.value, (fact.id,), fact.spans,
                Cue(kind, sentences[other].value, beside=sentences[other].spans[0]),
            )  # fmt: skip


def relation_table(relation: Relation) -> tuple[str, dict[str, str]]:
    """Return the table of wordings that asks for a relation's answer, and its slots."""
    kind = relation.kind
    slots = {name: text for name, text in relation.slots.items() if name not in SHORTER}
    if kind == "what":
        return "relation.what", {"clause": slots.get("clause") or slots["predicate"]}
    if kind in ("where", "how_much") and "clause" in slots:
        return f"relation.{kind}_clause", slots
    if kind == "when" and not _YEAR.search(relation.answer):
        return "relation.when_time", slots
    return f"relation.{kind}", slots


@lru_cache(maxsize=4)
def _answers(timeline: Timeline) -> dict[tuple[str, ...], set[str]]:
    """Return the answers to each question that relations are asked with, by table and slots."""
    found: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for fact in timeline.known:
        for ask in _relation_asks(timeline, fact, closed=False) if fact.relation else ():
            if ask.category == "open" and ask.cue is None:
                found[_key(ask)].add(ask.answer.casefold())
    return found


def _key(ask: Ask) -> tuple[str, ...]:
    return ask.table, *(text.casefold() for text in ask.slots.values())


def _relation_asks(timeline: Timeline, fact: Fact, *, closed: bool = True) -> Iterator[Ask]:
    relation = fact.relation
    assert relation is not None
    kind, ids, spans = relation.kind, (fact.id,), fact.spans
    table, slots = relation_table(relation)
    if kind == "mention":
        for span in spans:
            if whole_seconds(span):
                yield Ask(
                    "open/mention", table, relation.answer, ids, (span,), Cue("time", span=span),
                    slots,
                )  # fmt: skip
    else:
        yield Ask(f"open/{kind}", table, relation.answer, ids, spans, slots=slots)
        for shorter in SHORTER:
            if text := relation.slots.get(shorter):
                (name,) = slots
                yield Ask(
                    f"open/{kind}", table, relation.answer, ids, spans, slots={name: text}
                )  # fmt: skip
    if kind not in ("mention", "cloze"):
        yield from _checks(timeline, relation, table, slots, ids, spans, closed=closed)
    if kind == "where" and "thing" in slots:
        yield Ask(
            "open/where_reverse", "relation.where_reverse", slots["thing"], ids, spans,
            slots={"place": relation.answer},
        )  # fmt: skip
    year = kind == "when" and _YEAR.fullmatch(relation.answer)
    if year and timeline.says(relation.answer) <= {relation.sentence}:
        yield Ask(
            "open/happened", "relation.happened", relation.sentence, ids, spans,
            slots={"x": relation.answer},
        )  # fmt: skip
    if kind == "is":
        yield Ask(
            "open/is_reverse", "relation.is_reverse", slots["thing"], ids, spans,
            slots={"answer": relation.answer},
        )  # fmt: skip
    if named := unique_name(timeline, relation):
        if len(spans) == 1:
            yield Ask(
                "open/when_mention", "when.mention", clock(spans[0][0]), ids, spans,
                slots={"x": named},
            )  # fmt: skip
        yield Ask("open/about", "relation.about", relation.sentence, ids, spans, slots={"x": named})


def _checks(
    timeline: Timeline,
    relation: Relation,
    table: str,
    slots: dict[str, str],
    ids: tuple[str, ...],
    spans: tuple[Span, ...],
    *,
    closed: bool,
) -> Iterator[Ask]:
    """Yield a relation as a gap and, ``closed``, as a choice and a yes/no against its like."""
    kind, answer, sentence = relation.kind, relation.answer, relation.sentence
    if sentence.count(answer) != 1:
        return
    blanked = {"blanked": sentence.replace(answer, "____").rstrip(".")}
    yield Ask("open/gap", "relation.cloze", answer, ids, spans, slots=blanked)
    if not closed:
        return
    wrong = tuple(dict.fromkeys(
        other.relation.answer for other in timeline.facts
        if other.relation and other.relation.kind == kind and other.relation.answer not in sentence
        and answer not in other.relation.answer
    ))  # fmt: skip
    if len(wrong) >= 2:
        yield Ask(f"choice/{kind}", table, answer, ids, spans, slots=slots, wrong=wrong)
    if wrong:
        before, _, after = sentence.partition(answer)
        yield Ask(
            f"yesno/{kind}", "yesno.said", answer, ids, spans,
            slots={"before": before, "after": after.rstrip(".")}, quoted=("x",), wrong=wrong,
        )  # fmt: skip


def video_asks(timeline: Timeline) -> Iterator[Ask]:
    """Yield the asks over the whole video: counts, order, lists, summaries and its length."""
    return (ask for ask in _video_asks(timeline) if timeline.may_ask(ask.fact_ids))


def _video_asks(timeline: Timeline) -> Iterator[Ask]:
    whole = ((0.0, timeline.seconds),)
    for fact in timeline.facts:
        if fact.attribute in ("shots", "duration"):
            yield Ask(
                f"open/{fact.attribute}", f"value.{fact.attribute}", fact.value, (fact.id,), whole
            )
    titles = timeline.titles
    names = list(dict.fromkeys(fact.value for fact in titles))
    ids = tuple(fact.id for fact in titles)
    if 1 < len(names) <= 12 and not timeline.holes:
        yield Ask("list/titles", "list.titles", "; ".join(names), ids, whole)
    if len(names) > 1 and not timeline.holes:
        yield Ask("open/count_titles", "count.title", str(len(names)), ids, whole)
    if len(names) > 1:
        yield Ask("summary/video", "summary.video", "; ".join(names[:6]), ids, whole)
    asked = [fact for fact in titles if timeline.may_ask([fact.id])]
    for i, first in enumerate(asked):
        for second in asked[i + 1 : i + 4]:
            if timeline.unique(first) and timeline.unique(second):
                for x, y, answer in ((first, second, "yes"), (second, first, "no")):
                    yield Ask(
                        "yesno/order", "yesno.order", answer, (first.id, second.id),
                        first.spans + second.spans, slots={"x": x.value, "y": y.value},
                        quoted=("x", "y"),
                    )  # fmt: skip
    for i in range(len(titles) - 1):
        for j in (i + 2, i + 3):
            run = titles[i:j]
            span = (run[0].spans[0][0], run[-1].spans[0][1])
            shown = [f for f in titles if any(a < span[1] and b > span[0] for a, b in f.spans)]
            alone = shown == run and all(len(fact.spans) == 1 for fact in run)
            if (
                timeline.seen(*span)
                and len(run) == j - i
                and alone
                and all(timeline.unique(fact) for fact in run)
            ):
                yield Ask(
                    "list/range", "list.range", "; ".join(f.value for f in run),
                    tuple(f.id for f in run), (span,),
                    slots={"a": clock(span[0]), "b": clock(span[1])},
                )  # fmt: skip
    for index, shot in enumerate(timeline.shots):
        yield from _shot_asks(timeline, index, shot)


def _shot_asks(timeline: Timeline, index: int, shot: Shot) -> Iterator[Ask]:
    lines, title = shot.of("text"), shot.first("title")
    ids = tuple(fact.id for fact in lines)
    for cue in cues(timeline, index, lines[0]) if lines else ():
        if cue.kind != "text":
            if len(lines) > 1:
                answer = "; ".join(fact.value for fact in lines)
                yield Ask("list/text", "list.text", answer, ids, (shot.span,), cue)
            if title:
                yield Ask("open/count_text", "count.text", str(len(lines)), ids, (shot.span,), cue)
    told = [fact for fact in (title, shot.first("speech"), shot.first("colour")) if fact]
    if told and whole_seconds(shot.span):
        yield Ask(
            "summary/span", "summary.span", "; ".join(fact.value for fact in told),
            tuple(fact.id for fact in told), (shot.span,), Cue("time", span=shot.span),
        )  # fmt: skip


def overlap(span: Span, others: tuple[Span, ...]) -> Span:
    """Return the part of a span in which the first other one that meets it holds."""
    for start, end in others:
        if start < span[1] and end > span[0]:
            return max(span[0], start), min(span[1], end)
    return span
