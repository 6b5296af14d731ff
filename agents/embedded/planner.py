"""The planner without a language model: measured evidence as facts, spans and chapters."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from agents.embedded.evidence_index import is_in_words
from agents.embedded.relation_facts import relation_facts
from agents.team import Plan
from tools.evidence import LOOKS, TEXTS, Evidence
from training.facts import Fact, Span
from training.scoring import fold
from training.wording.timeline import clock, holes, joined

# Spreads the shots that a budget keeps evenly over the video, whatever their number.
_GOLDEN = 0.6180339887


class EmbeddedPlanner:
    """Makes each shot's texts, sentences and looks into facts, and what the sentences say.

    A video with more than ``max_facts`` keeps a share of every attribute from all over the video.
    """

    def __init__(self, max_facts: int = 1500) -> None:
        self.max_facts = max_facts

    def plan(self, evidence: Sequence[Evidence], seconds: float) -> Plan:
        """Return the facts, spans and chapters of a video; the same for the same evidence."""
        items = [item for item in evidence if is_in_words(item.value)]
        found = [item for item in items if item.kind == "shot"]
        shots = sorted(found, key=lambda item: (item.start, item.end))
        spans: list[Span] = [(shot.start, shot.end) for shot in shots] or [(0.0, seconds)]
        names = [shot.value for shot in shots] or ["shot 1"]
        by_shot = _by_shot(items, spans)

        facts = [fact for i, name in enumerate(names) for fact in _looks(by_shot[i], name)]
        faces = {fact.value for fact in facts if fact.attribute == "faces"}
        facts = [fact for fact in facts if fact.attribute != "faces" or faces != {"0"}]
        told = list(_texts(by_shot, names))
        facts += told
        facts += relation_facts(fact for fact in told if _is_sentence(fact))
        facts.sort(key=_order(names))
        whole = list(_of_video(shots, seconds))
        numbered = [
            fact.model_copy(update={"id": f"f{number:04d}"})
            for number, fact in enumerate([*whole, *facts], 1)
        ]
        asked = self._within_budget(numbered[len(whole) :], names)
        asked |= {fact.id for fact in numbered[: len(whole)]}
        return Plan(
            facts=[fact for fact in numbered if fact.id in asked],
            spans=spans,
            chapters=_chapters(by_shot),
            unasked=[fact for fact in numbered if fact.id not in asked],
        )

    def _within_budget(self, facts: list[Fact], names: list[str]) -> set[str]:
        """Return the ids of at most `max_facts` facts: each attribute's in turn, shots spread."""
        if len(facts) <= self.max_facts:
            return {fact.id for fact in facts}
        facts = [fact for fact in facts if (fact.attribute, fact.value) not in _DULL]
        place = {name: index * _GOLDEN % 1.0 for index, name in enumerate(names)}
        queues: defaultdict[str, list[tuple[int, float, int]]] = defaultdict(list)
        ranks: Counter[tuple[str, str]] = Counter()
        for index, fact in enumerate(facts):
            kind = fact.relation.kind if fact.relation else fact.attribute
            queues[kind].append((ranks[fact.subject, kind], place[fact.subject], index))
            ranks[fact.subject, kind] += 1
        turns = [
            (turn, index)
            for queue in queues.values()
            for turn, (_, _, index) in enumerate(sorted(queue))
        ]
        return {facts[index].id for _, index in sorted(turns)[: self.max_facts]}


_DULL = {("motion", "none"), ("faces", "0")}


def _by_shot(items: Sequence[Evidence], spans: Sequence[Span]) -> list[list[Evidence]]:
    """Return each shot's evidence: every item lies in the shot that it meets most."""
    ordered = sorted(items, key=lambda item: (item.start, item.end))
    shots: list[list[Evidence]] = [[] for _ in spans]
    first = 0
    for item in ordered:
        while first + 1 < len(spans) and spans[first][1] <= item.start:
            first += 1
        best, most = first, 0.0
        for index in range(first, len(spans)):
            start, end = spans[index]
            if start >= item.end and index > first:
                break
            overlap = min(end, item.end) - max(start, item.start)
            if overlap > most:
                best, most = index, overlap
        shots[best].append(item)
    return shots


def _looks(items: list[Evidence], name: str) -> Iterator[Fact]:
    """Yield one fact for each look of a shot."""
    for attribute in LOOKS:
        found = [item for item in items if item.kind == attribute]
        if found:
            best = max(found, key=lambda item: item.score)
            yield _fact(name, attribute, best.value, [best])


def _texts(by_shot: list[list[Evidence]], names: list[str]) -> Iterator[Fact]:
    """Yield one fact for each title, line and sentence, however often it comes."""
    same: defaultdict[tuple[str, str], list[tuple[str, Evidence]]] = defaultdict(list)
    for name, items in zip(names, by_shot, strict=True):
        titles = {fold(item.value) for item in items if item.kind == "title"}
        for item in items:
            folded = fold(item.value)
            if item.kind in TEXTS and not (item.kind == "text" and folded in titles):
                same[item.kind, folded].append((name, item))
    for (attribute, _), found in same.items():
        yield _fact(found[0][0], attribute, found[0][1].value, [item for _, item in found])


def _fact(subject: str, attribute: str, value: str, items: Sequence[Evidence]) -> Fact:
    return Fact(
        id="",
        subject=subject,
        attribute=attribute,
        value=" ".join(value.split()),
        spans=joined((item.start, item.end) for item in items),
        evidence_ids=tuple(item.id for item in items),
    )


def _is_sentence(fact: Fact) -> bool:
    return fact.attribute == "speech" or len(fact.value.split()) >= 4


def _of_video(shots: list[Evidence], seconds: float) -> Iterator[Fact]:
    """Yield what holds for the whole video."""
    whole = ((0.0, seconds),)
    ids = tuple(shot.id for shot in shots)
    if shots and not holes([(shot.start, shot.end) for shot in shots], seconds):
        yield Fact(
            id="", subject="video", attribute="shots", value=str(len(shots)), spans=whole,
            evidence_ids=ids,
        )  # fmt: skip
    yield Fact(
        id="", subject="video", attribute="duration", value=clock(seconds), spans=whole,
        evidence_ids=ids[-1:],
    )  # fmt: skip


def _chapters(by_shot: list[list[Evidence]]) -> list[tuple[float, str]]:
    """Return (start, title) for each title; one that stays over several shots is one chapter."""
    chapters: list[tuple[float, str]] = []
    for items in by_shot:
        for item in items:
            if item.kind == "title" and not (
                chapters and fold(chapters[-1][1]) == fold(item.value)
            ):
                chapters.append((item.start, item.value))
    return chapters


_ATTRIBUTES = ("title", "text", "speech", "relation", *LOOKS)


def _order(names: list[str]) -> Callable[[Fact], tuple[int, int]]:
    place = {name: index for index, name in enumerate(names)}
    return lambda fact: (place[fact.subject], _ATTRIBUTES.index(fact.attribute))
