"""Calibrated confidence: how likely an answer is right, and when to abstain instead."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from training.answerer import Answer, Answerer
from training.corpus import Record
from training.scoring import fold, is_refusal, is_right

# Share of absent questions that may be answered on the calibrate split.
FALSE_ANSWERS = 0.05
# With fewer answers than this to learn from, three coefficients would be fitted to chance.
FEWEST = 20
# Confidences are whole ten-thousandths, as replies tell them: a threshold then stands clear of the
# noise that another batch brings into log-probabilities.
PLACES = 4

# Where the fit trusts an answer less than this, it is not told, even if refusals alone hold false
# answers down on the calibrate split: of a few absent questions none may be of its kind.
LEAST_CONFIDENCE = 0.1
# What is absent is asked far more often to find the threshold than the confidence should expect it:
# in the fit it counts as this share of the rest at most.
MOST_ABSENT = 0.2

FITTED_ON = ("open", "list", "yesno", "choice", "absent")
_OPENERS = ("In the video, ", "Tell me, ", "Question: ")
_NO_NAME = re.compile(
    r"(?:What|When|Where|Which|Who|Whom|Whose|Why|How|Is|Are|Was|Were|Do|Does|Did|Has|Have|Had"
    r"|Can|Could|Should|Would|At|In|On|During|While|Before|After)\b"
)


@dataclass(frozen=True)
class Doubted:
    """An answer, and the share (0 to 1) of rewordings of its question that were answered alike."""

    answer: Answer
    agreement: float


class Calibration(BaseModel):
    """How an NKR's log-probabilities become confidence; stands in its `nkr.json`.

    ``coefficients`` weigh the mean log-probability of an answer's tokens, that of the whole answer,
    the agreement and, since answers have moments before them, the log-probability of those, whether
    there are any and whether the answer is the refusal; None is the prior, exp(mean
    log-probability). ``threshold`` is the confidence under which to abstain: 0 abstains from
    nothing, a value above 1 from everything.
    ``count`` is the number of answers that it was fitted on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    coefficients: tuple[FiniteFloat, ...] | None = Field(default=None, min_length=3, max_length=6)
    intercept: FiniteFloat = 0.0
    threshold: FiniteFloat = Field(default=0.0, ge=0)
    count: int = Field(default=0, ge=0)

    def confidence(self, answer: Answer, agreement: float) -> float:
        """Return how likely an answer is right, 0 to 1; 0 where its log-probability is no number.

        ``agreement`` is 0 to 1, as `ask_again` finds it.
        """
        features = _features(answer, agreement)
        if not all(map(math.isfinite, features)):
            return 0.0
        if self.coefficients is None:
            return round(math.exp(min(0.0, answer.logprob)), PLACES)
        logit = self.intercept + sum(map(mul, self.coefficients, features))
        return round((1 + math.tanh(logit / 2)) / 2, PLACES)


def rewordings(question: str) -> tuple[str, ...]:
    """Return three other wordings of a question that ask the same."""
    asked = question.strip()
    if _NO_NAME.match(asked):
        asked = asked[0].lower() + asked[1:]
    return tuple(opener + asked for opener in _OPENERS)


def ask_again(answerer: Answerer, questions: Sequence[str]) -> list[Doubted]:
    """Answer questions and their rewordings, all in one call; return one answer a question.

    A refusal is an answer like any other. Raises what the answerer raises.
    """
    wordings = [(question, *rewordings(question)) for question in questions]
    answers = iter(answerer.answer([wording for group in wordings for wording in group]))
    doubted = []
    for group in wordings:
        first, *others = (next(answers) for _ in group)
        alike = sum(fold(other.text) == fold(first.text) for other in others)
        doubted.append(Doubted(first, alike / len(others)))
    return doubted


def fit(records: Sequence[Record], doubted: Sequence[Doubted]) -> Calibration:
    """Fit a calibration on what has a right answer in the `calibrate` split; pass over the rest.

    ``doubted`` holds one answer a record; summaries and statements have no right one. A logistic
    regression (Platt, 1999) tells right answers from wrong ones; absent questions weigh
    `MOST_ABSENT` of the others together where they are more. With fewer than `FEWEST` answers,
    or with all of them right or all wrong, the confidence is the prior. Answers whose
    log-probability is no number teach nothing.
    The threshold is the smallest confidence with which at most `FALSE_ANSWERS` of the absent
    questions are answered, and `LEAST_CONFIDENCE` at least; where nothing was fitted and refusals
    alone see to that, it is 0.
    """
    asked = [
        (record, found)
        for record, found in zip(records, doubted, strict=True)
        if record.split == "calibrate" and record.category in FITTED_ON
    ]
    rows, right, is_absent = [], [], []
    for record, found in asked:
        features = _features(found.answer, found.agreement)
        if all(map(math.isfinite, features)):
            rows.append(features)
            right.append(is_right(record, found.answer.text))
            is_absent.append(record.category == "absent")
    calibration = Calibration(count=len(rows))
    if len(rows) >= FEWEST and len(set(right)) == 2:
        calibration = _regression(rows, right, _weights(is_absent))
    absent = [found for record, found in asked if record.category == "absent"]
    return calibration.model_copy(update={"threshold": _threshold(calibration, absent)})


def expected_calibration_error(
    confidences: Sequence[float], right: Sequence[bool], bins: int = 10
) -> float | None:
    """Return the mean gap between confidence and share of right answers, 0 to 1; None for none.

    Over bins of equal width, closed above and weighted by their answers (Guo et al. 2017).
    """
    binned: dict[int, list[float]] = {}
    for confidence, is_so in zip(confidences, right, strict=True):
        binned.setdefault(max(0, math.ceil(confidence * bins) - 1), []).append(is_so - confidence)
    return sum(abs(sum(gaps)) for gaps in binned.values()) / len(right) if right else None


def auroc(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """Return how often a right answer has more confidence than a wrong one; None without both."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(right, confidences)) if len(set(right)) == 2 else None


def _features(answer: Answer, agreement: float) -> tuple[float, ...]:
    # Those of before there were moments come first: older coefficients weigh no others.
    moment = (answer.moments.logprob, 1.0) if answer.moments else (0.0, 0.0)
    refused = float(is_refusal(answer.text))
    return answer.logprob, answer.whole_logprob, agreement, *moment, refused


def _weights(is_absent: Sequence[bool]) -> list[float]:
    absent = sum(is_absent)
    others = len(is_absent) - absent
    weight = min(1.0, MOST_ABSENT * others / absent) if absent and others else 1.0
    return [weight if one else 1.0 for one in is_absent]


def _regression(
    rows: Sequence[tuple[float, ...]], right: Sequence[bool], weights: Sequence[float]
) -> Calibration:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    # The penalty on coefficients is only even-handed between features of one scale.
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression(max_iter=1000)
    model.fit(scaler.transform(rows), right, sample_weight=weights)
    coefficients = model.coef_[0] / scaler.scale_
    return Calibration(
        coefficients=tuple(coefficients.tolist()),
        intercept=float(model.intercept_[0] - coefficients @ scaler.mean_),
        count=len(rows),
    )


def _threshold(calibration: Calibration, absent: Sequence[Doubted]) -> float:
    answered = sorted(
        (
            calibration.confidence(found.answer, found.agreement)
            for found in absent
            if not is_refusal(found.answer.text)
        ),
        reverse=True,
    )
    least = 0.0 if calibration.coefficients is None else LEAST_CONFIDENCE
    allowed = int(FALSE_ANSWERS * len(absent))
    if len(answered) <= allowed:
        return least
    return max(least, round(answered[allowed] + 10**-PLACES, PLACES))
