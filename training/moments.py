"""Answers are learnt behind the moments that they are of: "[00:22] grey".

What is asked leads to a moment, and the moment to what was seen or said then: two steps, each of
them shared by many questions, are learnt from far fewer examples than every cue with every answer
(a chain of thought, Wei et al., arXiv 2201.11903). What is asked of one place from another has the
moments of the way there: "[00:16] [00:14] [00:22] The Second Tower" is of a name, the slide on
which it was said, and the next one. Who reads an answer gets it without them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from training.answerer import Answer, Moments
from training.corpus import Record
from training.scoring import fold, reasoned, times
from training.wording.timeline import clock

# What lies in more of the video than this share lies at no moment.
MOST = 0.9
_MOMENTS = re.compile(r"(?:\[(?:\d+:)?\d\d:\d\d\]\s*)+(?=\S)")


def learnt(records: Sequence[Record], known: Sequence[Record] = ()) -> list[str]:
    """Return what is learnt of each record: its answer, behind its moments where it has any.

    How long the video is tell the records, and what else is ``known`` of it. What lies over most
    of it has no moment, and neither has the one of several things that the question itself names.
    """
    of_video = [*known, *records]
    seconds = max((end for record in of_video for _, end in record.spans), default=0.0)
    return [_marks(record, MOST * seconds) + record.answer for record in records]


def _marks(record: Record, longest: float) -> str:
    # A bare yes or no names nothing that lies anywhere; "grey, so no" does.
    one = record.category in ("open", "choice") or reasoned(record.answer)[0]
    if record.kind != "qa" or not one or times(record.answer):
        return ""
    if len(record.spans) != 1 or record.spans[0][1] - record.spans[0][0] > longest:
        return ""
    among = len(record.fact_ids) > 1 and fold(record.answer) in fold(record.question)
    if record.category == "open" and among:
        return ""
    moments = dict.fromkeys(clock(start) for start, _ in (*record.anchors, record.spans[0]))
    return "".join(f"[{moment}] " for moment in moments)


def moments_of(
    text: str, logprobs: Sequence[float], written: Callable[[int], str]
) -> Moments | None:
    """Return the moments that an answer begins with, if any.

    ``logprobs`` are those of its tokens, where they are known; ``written`` returns the text of so
    many of the first tokens.
    """
    marks = _MOMENTS.match(text)
    if not marks:
        return None
    brackets = marks.group().count("]")
    counts = range(1, len(logprobs))
    tokens = next((count for count in counts if written(count).count("]") >= brackets), 0)
    return Moments(marks.end(), tokens, sum(logprobs[:tokens]))


def told(answer: Answer) -> Answer:
    """Return an answer without its moments, and with the log-probability of the rest."""
    if not (moments := answer.moments):
        return answer
    tokens = answer.tokens - moments.tokens
    return replace(
        answer,
        text=answer.text[moments.length :],
        logprob=(answer.whole_logprob - moments.logprob) / tokens,
        tokens=tokens,
    )
