"""The verifier with a language model: it answers each question itself, from the video and without.

A record stands where the verifier, not knowing the proposed answer, finds the same in the video,
where it cannot be guessed without the video, and where its question names what it asks about.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from agents.comparison import judged
from agents.language.chat import Chat
from agents.language.deixis import points
from agents.language.fence import fenced, listed
from agents.language.lookups import Lookups
from agents.language.notes import notes, told
from agents.language.prompts import prompt
from agents.language.schemas import Answered, Answers, Judgements
from agents.language.watch import Watch
from agents.team import Plan
from tools.evidence import Evidence
from training.corpus import Record
from training.facts import Span
from training.scoring import is_refusal, is_right

POINTS = "its question does not name what it asks about"
GUESSED = "it can be answered without the video"
SHOWN = "it asks for what the video does show"
AT_ONCE = 24


class LanguageVerifier:
    """Judges each item by one of its wordings, and each wording by its words."""

    def __init__(self, chat: Chat, watch: Watch) -> None:
        self._chat = chat
        self._watch = watch

    def verify(
        self, records: Sequence[Record], plan: Plan, evidence: Sequence[Evidence]
    ) -> list[Record]:
        """Return the records, in their order, each with its verdict filled in."""
        seconds = max((span[1] for span in plan.spans), default=0.0)
        span = _span_of(records, plan)
        by_item = _items(records)
        reasons: dict[str, str] = {}
        for part in _parts(list(by_item)):
            asked = {f"q{n:02d}": by_item[key][0] for n, key in enumerate(part, 1)}
            found = self._judge(asked, span, seconds)
            reasons |= {key: found[name] for name, key in zip(asked, part, strict=True)}
        of_record = {id(r): reasons[key] for key, found in by_item.items() for r in found}
        return judged(
            records,
            [of_record[id(r)] or (POINTS if points(r.question) else "") for r in records],
        )

    def _judge(self, asked: dict[str, Record], span: Span | None, seconds: float) -> dict[str, str]:
        """Return for each record, by its name, why it is rejected, or nothing."""
        questions = {name: r for name, r in asked.items() if r.kind != "description"}
        seen = self._seen(questions, span, seconds) if questions else {}
        answerable = {name: r for name, r in questions.items() if r.kind == "qa"}
        guessed = self._guessed(answerable) if answerable else {}
        reasons = dict.fromkeys(asked, "")
        claims: dict[str, dict[str, object]] = {}
        for name, record in asked.items():
            own = seen.get(name)
            if record.kind == "description":
                claims[name] = {"id": name, "description": record.answer}
            elif record.kind == "absent":
                if own and own.certain and own.answer.strip() and not is_refusal(own.answer):
                    reasons[name] = f"{SHOWN} ({own.answer.strip()})"
            elif (guess := guessed.get(name)) and guess.certain and is_right(record, guess.answer):
                reasons[name] = GUESSED
            elif not own or not is_right(record, own.answer):
                claims[name] = {
                    "id": name,
                    "question": record.question,
                    "proposed_answer": record.answer,
                    "answer_found": own.answer if own else "",
                }
        return reasons | self._compared(claims, span, seconds)

    def _seen(
        self, questions: dict[str, Record], span: Span | None, seconds: float
    ) -> dict[str, Answered]:
        """Return the verifier's own answers; it may look further where it was not certain."""
        topics = [record.question for record in questions.values()]
        pictures = self._watch.span(span, seconds, topics)
        known = notes(self._watch.store, span)
        looked = Lookups(self._watch)

        def answers(asked: dict[str, Record]) -> dict[str, Answered]:
            found = self._chat.ask(
                "verifier",
                prompt("answer"),
                Answers,
                looked.with_pictures(pictures),
                span=told(span, seconds),
                seconds=f"{seconds:.1f}",
                notes=known,
                found=looked.found,
                questions=_asked(asked),
            )
            return {one.id: one for one in found.answers if one.id in asked}

        first = answers(questions)
        doubtful = {
            name: record
            for name, record in questions.items()
            if record.kind == "qa" and (name not in first or not first[name].certain)
        }
        if not doubtful:
            return first
        task = f"answers to these questions:\n{_asked(doubtful)}"
        looked.gather(self._chat, "verifier", task, known, pictures)
        return first | answers(doubtful)

    def _guessed(self, questions: dict[str, Record]) -> dict[str, Answered]:
        found = self._chat.ask(
            "verifier", prompt("answer_blind"), Answers, questions=_asked(questions)
        )
        return {one.id: one for one in found.answers}

    def _compared(
        self, claims: dict[str, dict[str, object]], span: Span | None, seconds: float
    ) -> dict[str, str]:
        """Return why claims are rejected, by name; one that was passed over is."""
        if not claims:
            return {}
        asked = list(claims.values())
        found = self._chat.ask(
            "verifier",
            prompt("judge"),
            Judgements,
            self._watch.span(span, seconds, [str(claim.get("question", "")) for claim in asked]),
            span=told(span, seconds),
            seconds=f"{seconds:.1f}",
            notes=notes(self._watch.store, span),
            claims=fenced("CLAIMS", listed(asked)),
        )
        reasons = {one.id: "" if one.supported else _reason(one.reason) for one in found.judgements}
        return {name: reasons.get(name, "the verifier could not judge it") for name in claims}


def _items(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the records by what they say: a fact with its answer, or themselves."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.kind == "absent":
            key = record.id
        else:
            key = "\n".join([record.kind, *record.fact_ids, record.answer])
        found[key].append(record)
    return found


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), AT_ONCE):
        yield keys[first : first + AT_ONCE]


def _span_of(records: Sequence[Record], plan: Plan) -> Span | None:
    """Return the planned span in which all records lie; None for those over the whole video."""
    spans = [span for record in records for span in record.spans]
    first = min((start for start, _ in spans), default=0.0)
    last = max((end for _, end in spans), default=float("inf"))
    return next((s for s in plan.spans if s[0] <= first and last <= s[1]), None)


def _asked(questions: dict[str, Record]) -> str:
    rows: list[dict[str, object]] = [
        {"id": name, "question": record.question} for name, record in questions.items()
    ]
    return fenced("QUESTIONS", listed(rows))


def _reason(told: str) -> str:
    return " ".join(told.split()).rstrip(".")[:200] or "the video does not support the answer"
