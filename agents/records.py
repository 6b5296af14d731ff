"""Records as agents make them: numbered, with the evidence of their facts."""

from collections.abc import Sequence

from agents.team import Assignment
from training.corpus import Kind, Message, Record, Split
from training.facts import Span
from training.wording.phrasing import Worded


class RecordMaker:
    """Numbers the records of one assignment and looks up the evidence behind their facts."""

    def __init__(self, assignment: Assignment, letter: str) -> None:
        place = "all" if assignment.span is None else f"{assignment.span[0]:09.2f}"
        self._prefix = f"{letter}-{place}"
        self._video_id = assignment.video_id
        self._evidence = {fact.id: fact.evidence_ids for fact in assignment.plan.facts}
        self._count = 0

    def make(
        self,
        *,
        kind: Kind,
        form: str,
        question: str,
        answer: str,
        fact_ids: Sequence[str],
        spans: Sequence[Span],
        anchors: Sequence[Span] = (),
        sources: Sequence[str] | None = None,
        split: Split = "train",
        record_id: str | None = None,
    ) -> Record:
        """Return the next record; ``record_id`` keeps the id of one that is written again.

        ``sources`` are the evidence of facts that are not in the plan.
        """
        self._count += 1
        if sources is None:
            sources = [e for fact in fact_ids for e in self._evidence.get(fact, ())]
        return Record(
            id=record_id or f"{self._prefix}-{self._count:04d}",
            video_id=self._video_id,
            kind=kind,
            form=form,
            fact_ids=list(fact_ids),
            spans=list(spans),
            anchors=list(anchors),
            sources=list(dict.fromkeys(sources)),
            split=split,
            messages=[
                Message(role="user", content=question),
                Message(role="assistant", content=answer),
            ],
        )

    def ask(
        self, asked: Worded, kind: Kind, split: Split, *, record_id: str | None = None
    ) -> Record:
        """Return the next record from a question in words."""
        return self.make(
            kind=kind,
            form=asked.form,
            question=asked.question,
            answer=asked.answer,
            fact_ids=asked.fact_ids,
            spans=asked.spans if kind == "qa" else (),
            anchors=asked.anchors if kind == "qa" else (),
            split=split,
            record_id=record_id,
        )
