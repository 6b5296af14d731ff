"""What a video's sentences say, as facts: none whose question has two answers."""

from collections import defaultdict
from collections.abc import Iterable

from agents.embedded.relations import relations
from training.facts import Fact, Relation, Span
from training.scoring import fold


def relation_facts(sentences: Iterable[Fact]) -> list[Fact]:
    """Return a fact for each relation of the sentences.

    Sentences that give one question the same answer make one fact with all their spans; those that
    give it different ones are ambiguous and make none.
    """
    asked: defaultdict[tuple[str, ...], list[tuple[Fact, Relation]]] = defaultdict(list)
    for sentence in sentences:
        for relation in relations(sentence.value):
            asked[_question(relation)].append((sentence, relation))
    facts: list[Fact] = []
    for question, found in asked.items():
        if question[0] == "mention":
            facts += (_fact([pair]) for pair in _apart(found))
        elif len({fold(relation.answer) for _, relation in found}) == 1:
            facts.append(_fact(found))
    return facts


def _question(relation: Relation) -> tuple[str, ...]:
    """Return what tells a relation's question from others, as it is put into words."""
    slots = relation.slots
    if relation.kind == "how_many":
        # Most wordings ask "how many segments" and no more.
        return relation.kind, fold(slots["noun"])
    return relation.kind, *(
        fold(slots[name]) if name != "blanked" else slots[name] for name in slots
    )


def _apart(found: list[tuple[Fact, Relation]]) -> list[tuple[Fact, Relation]]:
    """Return the mentions of one type that no other one of it overlaps in time.

    They are asked for by their time alone.
    """
    spans = sorted(
        (*span, place) for place, (sentence, _) in enumerate(found) for span in sentence.spans
    )
    clashing: set[int] = set()
    latest_end, latest = -1.0, -1
    for start, end, place in spans:
        same = fold(found[place][1].answer) == fold(found[latest][1].answer)
        if start < latest_end and not same:
            clashing |= {place, latest}
        if end > latest_end:
            latest_end, latest = end, place
    return [pair for place, pair in enumerate(found) if place not in clashing]


def _fact(found: list[tuple[Fact, Relation]]) -> Fact:
    first, relation = found[0]
    spans: dict[Span, None] = {}
    evidence: dict[str, None] = {}
    for sentence, _ in found:
        spans |= dict.fromkeys(sentence.spans)
        evidence |= dict.fromkeys(sentence.evidence_ids)
    return Fact(
        id="",
        subject=first.subject,
        attribute="relation",
        value=relation.answer,
        spans=tuple(sorted(spans)),
        evidence_ids=tuple(evidence),
        relation=relation,
    )
