"""Asks that join facts: two and three hops, counting, order of three, comparison of two spans."""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, permutations

from training.facts import Fact, Span
from training.wording.asks import Ask, unique_name
from training.wording.timeline import Shot, Timeline

# One slide must be shown longer than another by so much before anybody would say so.
LONGER = 1.25
# Slides further apart than this are not put in order, or the forms would grow with the cube.
WINDOW = 4
# A whole word: "kettle" is no word of "kettle's", nor "lindstr" one of anything.
_WORD = re.compile(r"(?<!\w)(?<!\w['\u2019])[^\W\d_]{5,}(?!['\u2019]?\w)")
_ORDERS = tuple(permutations(range(3)))


def hop_asks(timeline: Timeline) -> Iterator[Ask]:
    """Yield every ask of a video whose answer takes more than one of its facts."""
    return (ask for ask in _hop_asks(timeline) if timeline.may_ask(ask.fact_ids))


def _hop_asks(timeline: Timeline) -> Iterator[Ask]:
    for index, shot in enumerate(timeline.shots):
        yield from _from_names(timeline, index, shot)
        yield from _from_lines(timeline, index, shot)
    yield from _counts(timeline)
    yield from _orders(timeline)
    yield from _comparisons(timeline)


def named(timeline: Timeline, fact: Fact) -> str:
    """Return the name that a relation is the only one to say, and at one time, or nothing."""
    if fact.relation is None or len(fact.spans) > 1:
        return ""
    return unique_name(timeline, fact.relation)


def _from_names(timeline: Timeline, index: int, shot: Shot) -> Iterator[Ask]:
    """Yield what is seen while a name is said, and on the slides beside."""
    found = {
        "said_title": (0, "title"),
        "said_colour": (0, "colour"),
        "said_next": (1, "title"),
        "said_previous": (-1, "title"),
    }
    seen = set()
    for fact in shot.facts:
        name = named(timeline, fact)
        if not name or name in seen or timeline.first_shot[fact.id] != index:
            continue
        seen.add(name)
        for form, (step, attribute) in found.items():
            there = timeline.beside(index, step)
            answer = _only(there, attribute)
            if there and answer and answer.value != "none":
                yield Ask(
                    f"open/{form}", f"hop.{form}", answer.value, (answer.id, fact.id),
                    (there.span,), slots={"x": name}, quoted=("x",),
                    anchors=_way(fact, shot),
                )  # fmt: skip


def _from_lines(timeline: Timeline, index: int, shot: Shot) -> Iterator[Ask]:
    """Yield which title follows the slide with a line."""
    after = timeline.beside(index, 1)
    following = _only(after, "title")
    if after is None or following is None:
        return
    for line in shot.of("text"):
        if timeline.unique(line) and len(line.spans) == 1:
            yield Ask(
                "open/text_next", "hop.text_next", following.value, (following.id, line.id),
                (after.span,), slots={"x": line.value}, quoted=("x",),
                anchors=_way(line, shot),
            )  # fmt: skip


def _way(fact: Fact, shot: Shot) -> tuple[Span, ...]:
    """Return where a hop starts: at what the question names, and then at its slide."""
    return fact.spans[0], shot.span


def _only(shot: Shot | None, attribute: str) -> Fact | None:
    """Return a shot's fact of an attribute where it has just one."""
    found = shot.of(attribute) if shot else []
    return found[0] if len(found) == 1 else None


def _counts(timeline: Timeline) -> Iterator[Ask]:
    if timeline.holes:
        return
    whole = ((0.0, timeline.seconds),)
    shots: defaultdict[str, list[Fact]] = defaultdict(list)
    for shot in timeline.shots:
        if colour := _only(shot, "colour"):
            shots[colour.value].append(colour)
    for value, facts in shots.items():
        ids = tuple(dict.fromkeys(fact.id for fact in facts))
        yield Ask(
            "open/shots_in_colour", "count.colour", str(len(facts)), ids, whole,
            slots={"x": value},
        )  # fmt: skip
    said: defaultdict[str, list[str]] = defaultdict(list)
    for fact in timeline.sentences:
        for word in dict.fromkeys(word.casefold() for word in _WORD.findall(fact.value)):
            said[word] += [fact.id] * len(fact.spans)
    for word, sentences in said.items():
        if len(sentences) > 1:
            yield Ask(
                "open/sentences_with", "count.word", str(len(sentences)),
                tuple(dict.fromkeys(sentences)), whole, slots={"x": word}, quoted=("x",),
            )  # fmt: skip


def _orders(timeline: Timeline) -> Iterator[Ask]:
    titles = [fact for fact in timeline.titles if _once(timeline, fact)]
    for start in range(len(titles)):
        for rest in combinations(range(start + 1, min(len(titles), start + WINDOW)), 2):
            three = [titles[i] for i in (start, *rest)]
            slots = {
                slot: three[place].value
                for slot, place in zip("xyz", _ORDERS[(start + sum(rest)) % 6], strict=True)
            }
            for form, fact in (("first_of", three[0]), ("last_of", three[2])):
                yield Ask(
                    f"open/{form}", f"order.{form}", fact.value,
                    (fact.id, *(other.id for other in three if other is not fact)), fact.spans,
                    slots=slots, quoted=("x", "y", "z"),
                )  # fmt: skip


def _comparisons(timeline: Timeline) -> Iterator[Ask]:
    titled = [
        (title, index)
        for index, shot in enumerate(timeline.shots)
        if (title := _only(shot, "title")) and _once(timeline, title)
    ]
    for place, (first, i) in enumerate(titled):
        for second, j in titled[place + 1 : place + WINDOW]:
            pair = (first, second) if (i + j) % 2 else (second, first)
            slots = {"x": pair[0].value, "y": pair[1].value}
            lengths = [end - start for fact in (first, second) for start, end in fact.spans]
            bounded = all(timeline.seen(*fact.spans[0], ends=True) for fact in (first, second))
            if bounded and max(lengths) >= LONGER * min(lengths):
                longer = first if lengths[0] > lengths[1] else second
                other = second if longer is first else first
                yield Ask(
                    "open/longer", "compare.longer", longer.value, (longer.id, other.id),
                    longer.spans, slots=slots, quoted=("x", "y"),
                )  # fmt: skip
            colours = [_only(timeline.shots[place], "colour") for place in (i, j)]
            if colours[0] and colours[1]:
                same = colours[0].value == colours[1].value
                yield Ask(
                    "yesno/same_colour", "compare.same_colour", "yes" if same else "no",
                    (first.id, second.id, colours[0].id, colours[1].id),
                    first.spans + second.spans, slots=slots, quoted=("x", "y"),
                )  # fmt: skip


def _once(timeline: Timeline, fact: Fact) -> bool:
    return len(fact.spans) == 1 and timeline.unique(fact) and timeline.may_ask([fact.id])
