"""The verifier without a language model: every record is held against the evidence it cites."""

from collections.abc import Sequence

from agents.comparison import judged
from agents.embedded.judgements import Judge
from agents.team import Plan
from tools.evidence import Evidence
from training.corpus import Record


class EmbeddedVerifier:
    """Rejects what the evidence does not support, what is ambiguous, leaks or repeats."""

    def verify(
        self, records: Sequence[Record], plan: Plan, evidence: Sequence[Evidence]
    ) -> list[Record]:
        """Return the records, in their order, each with its verdict filled in."""
        judge = Judge({fact.id: fact for fact in plan.facts}, evidence)
        return judged(records, [judge.reason(record) for record in records])
