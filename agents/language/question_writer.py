"""The question-writer with a language model: each fact as an item, dealt out to the splits."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from agents.language.chat import Chat
from agents.language.describer import names
from agents.language.fence import fenced, listed
from agents.language.notes import notes, sources, told
from agents.language.prompts import prompt
from agents.language.schemas import Item, Questions, Rewritten, Wordings
from agents.language.watch import Watch
from agents.records import RecordMaker
from agents.team import Assignment, Failure, Rejection, exam_mark
from training.corpus import REFUSAL, Record, Split
from training.facts import Span
from training.scoring import fold

WORDINGS = 12
# The first so many different wordings go to training, then two to each split in turn.
FEWEST_TRAINED = 4
HELD_OUT: tuple[Split, ...] = ("exam", "calibrate", "check")
EACH_HELD_OUT = 2
OF_VIDEO = 16
ABSENT_SHARE = 0.5
ANEW = 6


class LanguageQuestionWriter:
    """Writes items about a span, or about the whole video, from the describer's text."""

    def __init__(self, chat: Chat, watch: Watch) -> None:
        self._chat = chat
        self._watch = watch

    def write(self, assignment: Assignment) -> list[Record]:
        """Return the records of a span's items, and absent questions."""
        plan = assignment.plan
        items = OF_VIDEO
        if assignment.span is not None:
            items = plan.questions[plan.spans.index(assignment.span)]
        written = self._chat.ask(
            "question_writer",
            prompt("write"),
            Questions,
            items=items,
            absent=round(items * ABSENT_SHARE),
            wordings=WORDINGS,
            span=told(assignment.span, assignment.seconds),
            seconds=f"{assignment.seconds:.1f}",
            kinds=", ".join(plan.question_kinds) or "any",
            names=names(plan),
            description=fenced("DESCRIPTION", [assignment.description]),
            notes=notes(self._watch.store, assignment.span),
        )
        rng = random.Random(f"questions-{assignment.seed}")
        maker = RecordMaker(assignment, "q")
        records = [
            record
            for number, item in enumerate(written.items, 1)
            for record in self._dealt(item, f"{_place(assignment)}-{number:02d}", assignment, maker)
        ]
        return [*records, *_absent(written.not_in_video, maker, rng)]

    def revise(self, rejections: Sequence[Rejection], assignment: Assignment) -> list[Record]:
        """Return what the model could mend, each under its old id."""
        rejected: defaultdict[str, list[Rejection]] = defaultdict(list)
        for rejection in rejections:
            record = rejection.record
            if record.category in ("open", "statement"):
                rejected[record.fact_ids[0] if record.fact_ids else "description"].append(rejection)
        if not rejected:
            return []
        rewritten = self._chat.ask(
            "question_writer",
            prompt("revise"),
            Rewritten,
            span=told(assignment.span, assignment.seconds),
            seconds=f"{assignment.seconds:.1f}",
            description=fenced("DESCRIPTION", [assignment.description]),
            notes=notes(self._watch.store, assignment.span),
            rejected=fenced(
                "REJECTED",
                listed(
                    [
                        {
                            "id": fact,
                            "questions": [one.record.question for one in found],
                            "answer": found[0].record.answer,
                            "why": "; ".join(dict.fromkeys(one.reason for one in found)),
                            "wordings": len(found),
                        }
                        for fact, found in rejected.items()
                    ]
                ),
            ),
        )
        return [
            record for new in rewritten.items for record in _mended(new, rejected.get(new.id, []))
        ]

    def augment(
        self, failures: Sequence[Failure], assignment: Assignment, exam: int
    ) -> list[Record]:
        """Return new wordings for training of the facts that were answered wrong."""
        failed: defaultdict[str, list[Failure]] = defaultdict(list)
        for failure in failures:
            if failure.record.category == "open" and failure.record.fact_ids:
                failed[failure.record.fact_ids[0]].append(failure)
        maker = RecordMaker(assignment, exam_mark(exam))
        records: list[Record] = []
        order = list(failed)
        for first in range(0, len(order), OF_VIDEO):
            facts = order[first : first + OF_VIDEO]
            found = self._chat.ask(
                "question_writer",
                prompt("augment"),
                Rewritten,
                wordings=ANEW,
                seconds=f"{assignment.seconds:.1f}",
                failed=fenced("FAILED", listed([_failed(fact, failed[fact]) for fact in facts])),
            )
            for new in found.items:
                if new.id in failed:
                    known = failed[new.id][0].record
                    records += [_anew(known, question, maker) for question in _clean(new.wordings)]
        return records

    def _dealt(
        self, item: Item, fact: str, assignment: Assignment, maker: RecordMaker
    ) -> Iterator[Record]:
        """Yield an item's wordings: most to learn, two for each held-out split, and a choice."""
        span = _inside(item, assignment)
        found = sources(self._watch.store, span)
        wordings, answer = _clean(item.wordings), item.answer.strip()
        if not answer:
            return

        def record(form: str, question: str, split: Split) -> Record:
            return maker.make(
                kind="qa",
                form=form,
                question=question,
                answer=answer,
                fact_ids=[fact],
                spans=[span],
                sources=found,
                split=split,
            )

        for question, split in zip(wordings, _splits(len(wordings)), strict=True):
            yield record(f"open/{item.kind}", question, split)
        wrong = [w for w in _clean(item.wrong_answers) if fold(w) != fold(answer)][:3]
        if wordings and wrong:
            options = sorted([answer, *wrong], key=fold)
            listing = " ".join(f"{chr(65 + n)}) {text}" for n, text in enumerate(options))
            yield record(f"choice/{item.kind}", f"{wordings[0]} {listing}", "train")


def _splits(count: int) -> list[Split]:
    """Return the split of each of so many wordings of one fact."""
    held_out = min(EACH_HELD_OUT * len(HELD_OUT), max(0, count - FEWEST_TRAINED))
    train: list[Split] = ["train"] * (count - held_out)
    # The check comes first where there are few: it is what is reported.
    return train + [HELD_OUT[-1 - place % len(HELD_OUT)] for place in range(held_out)]


def _inside(item: Item, assignment: Assignment) -> Span:
    """Return an item's span, cut to the assignment's where the model missed it."""
    first, last = assignment.span or (0.0, assignment.seconds)
    start, end = max(first, item.start), min(last, item.end)
    return (start, end) if start < end else (first, last)


def _absent(questions: Sequence[str], maker: RecordMaker, rng: random.Random) -> Iterator[Record]:
    """Yield absent questions, half of them for training."""
    asked = _clean(questions)
    rng.shuffle(asked)
    for place, question in enumerate(asked):
        split: Split = "train" if place % 2 == 0 else HELD_OUT[-1 - place // 2 % len(HELD_OUT)]
        yield maker.make(
            kind="absent",
            form="absent/plausible",
            question=question,
            answer=REFUSAL,
            fact_ids=[],
            spans=[],
            sources=[],
            split=split,
        )


def _mended(new: Wordings, rejections: Sequence[Rejection]) -> Iterator[Record]:
    """Yield rejected records of one fact in their new words; a description is one text."""
    for place, rejection in enumerate(rejections):
        question, answer = rejection.record.messages
        if rejection.record.kind != "description":
            if place >= len(new.wordings) or not new.wordings[place].strip():
                return
            question = question.model_copy(update={"content": new.wordings[place].strip()})
        if new.answer.strip():
            answer = answer.model_copy(update={"content": new.answer.strip()})
        yield rejection.record.model_copy(update={"messages": [question, answer]})


def _failed(fact: str, failures: Sequence[Failure]) -> dict[str, object]:
    return {
        "id": fact,
        "questions": [failure.record.question for failure in failures],
        "right_answer": failures[0].record.answer,
        "answered": list(dict.fromkeys(failure.answer for failure in failures)),
    }


def _anew(known: Record, question: str, maker: RecordMaker) -> Record:
    return maker.make(
        kind="qa",
        form=known.form,
        question=question,
        answer=known.answer,
        fact_ids=known.fact_ids,
        spans=known.spans,
        anchors=known.anchors,
        sources=known.sources,
    )


def _clean(texts: Sequence[str]) -> list[str]:
    """Return texts that say something, none twice."""
    return list({fold(text): text.strip() for text in reversed(texts) if fold(text)}.values())[::-1]


def _place(assignment: Assignment) -> str:
    if assignment.span is None:
        return "all"
    return f"s{assignment.plan.spans.index(assignment.span):04d}"
