"""The verifier without a language model: every record is held against the evidence it cites."""

from collections import defaultdict
from collections.abc import Sequence

from agents.embedded.evidence_index import fold
from agents.embedded.judgements import Judge
from agents.team import Plan
from tools.evidence import Evidence
from training.corpus import Record

SUPPORTED = "supported"
REJECTED = "rejected: "
AMBIGUOUS = "the same question has another answer elsewhere"
LEAKED = "its question is also a training question"
REPEATED = "it repeats an earlier record"


class EmbeddedVerifier:
    """Rejects what the evidence does not support, what is ambiguous, leaks or repeats."""

    def verify(
        self, records: Sequence[Record], plan: Plan, evidence: Sequence[Evidence]
    ) -> list[Record]:
        """Return the records, in their order, each with its verdict filled in."""
        facts = {fact.id: fact for fact in plan.facts}
        judge = Judge(facts, evidence)
        reasons = [judge.reason(record) for record in records]
        _compare(records, reasons)
        return [
            record.model_copy(update={"verdict": REJECTED + reason if reason else SUPPORTED})
            for record, reason in zip(records, reasons, strict=True)
        ]


def _compare(records: Sequence[Record], reasons: list[str]) -> None:
    """Fill in the reasons that only other records show: another answer, a leak, a repeat."""
    answers: defaultdict[str, set[str]] = defaultdict(set)
    trained: set[str] = set()
    standing = [place for place, reason in enumerate(reasons) if not reason]
    for place in standing:
        record = records[place]
        if record.kind != "description":
            answers[fold(record.question)].add(fold(record.answer))
        if record.split == "train":
            trained.add(fold(record.question))
    seen: set[tuple[str, ...]] = set()
    for place in standing:
        record = records[place]
        question = fold(record.question)
        # A request to describe may be answered in several styles.
        own: tuple[str, ...] = (record.split, question)
        if record.kind == "description":
            own = (*own, fold(record.answer))
        if len(answers[question]) > 1:
            reasons[place] = AMBIGUOUS
        elif record.split != "train" and question in trained:
            reasons[place] = LEAKED
        elif own in seen:
            reasons[place] = REPEATED
        else:
            seen.add(own)
