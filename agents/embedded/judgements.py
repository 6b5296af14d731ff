"""What is wrong with one record, by its category; an empty reason where nothing is."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from agents.embedded.evidence_index import (
    EvidenceIndex,
    fold,
    has_words,
    holds,
    is_in_words,
    stands_in,
)
from agents.embedded.joined_judgements import JoinedJudge
from agents.embedded.surroundings import Surroundings
from tools.evidence import LOOKS, TEXTS, Evidence
from training.corpus import REFUSAL, Record
from training.facts import Fact, Span
from training.scoring import TIME_TOLERANCE, chosen, options, reasoned, times
from training.wording.asks import SHORTER

UNSUPPORTED = "the evidence at its spans does not support the answer"
UNNAMED = "its question does not name what it asks for"
SHOWN = "it asks for what the video does show"
_NAMING = ("about", "mention", "general")
_ASKED = ("who", "what", "where", "when", "how_much", "is")
_QUOTED = re.compile(r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)")
_NAMED = re.compile(r"(?<=[a-z,] )[A-Z][\w.]*(?:[ -][A-Z0-9][\w.]*)*")


class Judge:
    """Holds single records against the facts of a plan and the evidence at their spans."""

    def __init__(self, facts: Mapping[str, Fact], evidence: Sequence[Evidence]) -> None:
        self._facts = facts
        self._index = index = EvidenceIndex(evidence)
        self._joined = JoinedJudge(evidence, index)
        whole = [fact.spans[-1][1] for fact in facts.values() if fact.subject == "video"]
        self._end = max([index.end, *whole])
        self._around = Surroundings(evidence, index, max(whole, default=0.0))

    def reason(self, record: Record) -> str:
        """Return in a short sentence why a record is rejected, or nothing."""
        if not is_in_words(record.question) or not is_in_words(record.answer):
            return "its question or its answer is empty"
        if record.category == "absent" or record.kind == "absent":
            return self._absent(record)
        unknown = [fact_id for fact_id in record.fact_ids if fact_id not in self._facts]
        if unknown:
            return f"there is no fact {unknown[0]}"
        if not record.fact_ids or not record.spans:
            return "it cites no fact or no span"
        first, last = min(0.0, self._index.start), self._end + TIME_TOLERANCE
        if any(not first <= start < end <= last for start, end in record.spans):
            return "it cites a span outside the video"
        facts = [self._facts[fact_id] for fact_id in record.fact_ids]
        return self._of_facts(record, facts) or (
            "" if self._around.bear_out(record, facts) else UNSUPPORTED
        )

    def _of_facts(self, record: Record, facts: Sequence[Fact]) -> str:
        """Return why a record is rejected by the facts that it cites."""
        if self._joined.judges(record.form):
            return self._joined.reason(record, facts)
        judges = {
            "open": self._open,
            "yesno": self._yes_or_no,
            "choice": self._choice,
            "list": self._list,
            "summary": self._parts,
            "statement": self._statement,
        }
        return judges[record.category](record, facts)

    def _statement(self, record: Record, facts: Sequence[Fact]) -> str:
        # What a sentence says is told with the sentence, where the plan has room for it.
        seen = [fact for fact in facts if fact.relation is None]
        missing = [fact for fact in seen if not has_words(record.answer, fact.value)]
        if missing:
            return f"it leaves out the {missing[0].attribute} of its shot"
        return "" if all(map(self._stands, facts)) else UNSUPPORTED

    def _open(self, record: Record, facts: Sequence[Fact]) -> str:
        name = record.form.partition("/")[2]
        if name.startswith("when_"):
            return self._when(record, facts)
        if name.startswith("count_"):
            right = fold(record.answer) == str(len({fold(fact.value) for fact in facts}))
        elif name in ("shots", "duration"):
            right = fold(record.answer) == fold(facts[0].value)
        elif not _asks_inside(record):
            return "it asks for another time than its spans"
        else:
            right = _proved(record.answer, facts, self._index.at(record.spans))
        return "" if right else UNSUPPORTED

    def _when(self, record: Record, facts: Sequence[Fact]) -> str:
        told, fact = times(record.answer), facts[0]
        if fact.relation is None and not _names(record.question, fact, run=2):
            return UNNAMED
        as_many = len(told) == len(record.spans) or (len(told) == 1 and record.category == "open")
        inside = all(_inside(time, record.spans, before=TIME_TOLERANCE) for time in told)
        return "" if as_many and inside and self._stands(fact) else UNSUPPORTED

    def _yes_or_no(self, record: Record, facts: Sequence[Fact]) -> str:
        told, answer = reasoned(record.answer)
        if answer not in ("yes", "no"):
            return "its answer is neither yes nor no"
        if record.form == "yesno/order":
            return _order(record.question, facts, answer)
        if not self._stands(facts[0]) or not _asks_inside(record):
            return UNSUPPORTED
        if told and not _proved(told, facts, self._index.at(record.spans)):
            return UNSUPPORTED
        # Three words of another sentence may chance to stand in this one; two often do.
        asked = _names(record.question, facts[0], run=2 if answer == "yes" else 3)
        return "" if asked == (answer == "yes") else UNSUPPORTED

    def _choice(self, record: Record, facts: Sequence[Fact]) -> str:
        listed = options(record.question)
        if len(listed) < 2 or len(set(listed.values())) < len(listed):
            return "its options cannot be told apart"
        letter = chosen(record.answer, listed)
        if letter is None:
            return "its answer is none of its options"
        answer = listed[letter]
        others = [text for other, text in listed.items() if other != letter]
        if not _proved(answer, facts, self._index.at(record.spans)):
            return UNSUPPORTED
        if facts[0].relation is not None:
            alike = any(has_words(text, answer) or has_words(answer, text) for text in others)
        else:
            start, end = record.spans[0]
            same = [
                item
                for item in self._index.at(record.spans)
                if item.kind == facts[0].attribute and item.start < end and item.end > start
            ]
            alike = any(fold(item.value) in others for item in same)
        return "another of its options is right too" if alike else ""

    def _list(self, record: Record, facts: Sequence[Fact]) -> str:
        if record.form.partition("/")[2].startswith("when_"):
            return self._when(record, facts)
        if not all(has_words(record.answer, fact.value) for fact in facts):
            return "its list is not whole"
        return self._parts(record, facts)

    def _parts(self, record: Record, facts: Sequence[Fact]) -> str:
        """Judge an answer of several parts: each is a fact's value, or a piece of one."""
        seen = self._index.at(record.spans)
        for part in filter(fold, record.answer.split(";")):
            named = any(has_words(fact.value, part) for fact in facts)
            if not named or not any(holds(item, part) for item in seen):
                return UNSUPPORTED
        return ""

    def _absent(self, record: Record) -> str:
        if fold(record.answer) != fold(REFUSAL):
            return "it asks for what is absent and is not refused"
        asked, question = record.form.partition("/")[2], record.question
        moments = [(time, time + 1.0) for time in times(question)]
        for start, end in moments:
            near = self._index.at([(start, end)])
            if any(i.kind == asked and i.start < end and i.end > start for i in near):
                return SHOWN
        for slots in self._slots.get(asked, ()):
            if all(stands_in(question, slot) for slot in slots):
                return SHOWN
        quoted = ["".join(found) for found in _QUOTED.findall(question)]
        named = _NAMED.findall(question) if asked in _NAMING else []
        if any(map(self._index.says, named)):
            return SHOWN
        # One word of a sentence is no line of the video, but one word may be a whole title.
        return SHOWN if any(map(self._index.shows, quoted)) else ""

    @cached_property
    def _slots(self) -> dict[str, set[tuple[str, ...]]]:
        """What is asked for by each kind of relation that the video does have."""
        found: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        for fact in self._facts.values():
            if fact.relation is not None and fact.relation.kind in _ASKED:
                slots = dict(fact.relation.slots)
                for shorter in SHORTER:
                    if text := slots.pop(shorter, ""):
                        found[fact.relation.kind].add((text,))
                found[fact.relation.kind].add(tuple(slots.values()))
        return found

    def _stands(self, fact: Fact) -> bool:
        """Return whether the evidence at a fact's own spans proves it."""
        if fact.attribute not in (*TEXTS, *LOOKS, "relation"):
            return True
        return _proved(fact.value, [fact], self._index.at(fact.spans))


def _told(fact: Fact) -> str:
    return fact.relation.sentence if fact.relation else fact.value


def _proved(answer: str, facts: Sequence[Fact], seen: Sequence[Evidence]) -> bool:
    """Return whether the evidence proves an answer: a fact's value, or words of its sentence."""
    for fact in facts:
        if fact.relation is not None:
            sentence = fact.relation.sentence
            heard = any(item.kind in TEXTS and holds(item, sentence) for item in seen)
            told = (fact.relation.answer, sentence, fact.relation.slots.get("thing", ""))
            if heard and has_words(sentence, answer) and fold(answer) in map(fold, told):
                return True
        elif fold(answer) == fold(fact.value) and any(
            item.kind == fact.attribute and fold(item.value) == fold(answer) for item in seen
        ):
            return True
    return False


def _asks_inside(record: Record) -> bool:
    """Return whether every time that a question about a moment names lies in its spans."""
    if not record.form.endswith(("_by_time", "/mention")):
        return True
    asked = times(record.question)
    if record.category == "yesno":
        # A claim may have times in it too; the moment is one of them.
        return any(_inside(time, record.spans) for time in asked)
    return all(_inside(time, record.spans) for time in asked)


def _inside(time: float, spans: Sequence[Span], *, before: float = 1e-6) -> bool:
    """Return whether a time lies in a span, or up to ``before`` seconds earlier."""
    return any(start - before <= time < end for start, end in spans)


def _order(question: str, facts: Sequence[Fact], answer: str) -> str:
    """Judge "does X come before Y", where X is named first."""
    asked = f" {fold(question)} "
    places = [asked.find(f" {fold(fact.value)} ") for fact in facts]
    if len(set(places)) != 2 or min(places) < 0:
        return UNNAMED
    first, second = facts if places[0] < places[1] else (facts[1], facts[0])
    before = first.spans[0] < second.spans[0]
    return "" if before == (answer == "yes") else UNSUPPORTED


def _names(question: str, fact: Fact, *, run: int) -> bool:
    """Return whether a question has the fact's words, or of a spoken sentence ``run`` in a row."""
    if has_words(question, _told(fact)):
        return True
    words = fold(fact.value).split() if fact.attribute == "speech" else []
    runs = (" ".join(words[i : i + run]) for i in range(len(words) - run + 1))
    return any(has_words(question, run_of_words) for run_of_words in runs)
