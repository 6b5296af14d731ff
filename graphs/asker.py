"""Ask an NKR: the mounted adapter answers alone, or the router with its evidence beside it."""

import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from tools.errors import InputError

if TYPE_CHECKING:
    from training.answerer import Answer
    from training.calibration import Calibration


class Citation(TypedDict):
    """A span of the video that proves an answer, in seconds, and what was measured there."""

    start: float
    end: float
    text: str


class Reply(TypedDict):
    """One answer; ``latency_ms`` counts from the loaded model, rewordings included.

    ``confidence`` is 0 to 1: how likely the answer is right, by the NKR's calibration, and of an
    answer that was withheld how likely that one is; without a calibration, or blind, the geometric
    mean of the probabilities of the answer's tokens; of what was read in the evidence the
    probability that the backbone gives it.
    """

    question: str
    answer: str
    source: str
    confidence: float
    citations: list[Citation]
    latency_ms: float


class Asker:
    """An NKR mounted on its backbone; nothing but the adapter, its config and nkr.json is read."""

    def __init__(
        self,
        folder: Path,
        *,
        backbone: str | None = None,
        blind: bool = False,
        device: str = "auto",
    ) -> None:
        from training.backbone import load_backbone, source_of
        from training.mount import mount
        from training.nkr import read_nkr

        nkr = read_nkr(folder, weights_only=True)
        if nkr.silenced:
            print(
                f"warning: every weight in {folder} is zero: the backbone answers without it",
                file=sys.stderr,
            )
        name = nkr.manifest.backbone.name
        source = backbone or source_of(name)
        mounted = mount(load_backbone(source, backbone_name=name, device=device), nkr)
        self._blind = blind
        # What was fitted to the adapter's answers says nothing of the backbone's own.
        self._calibration = None if blind else nkr.manifest.calibration
        self._answerer = mounted.blind if blind else mounted

    def ask(self, question: str) -> Reply:
        """Answer one question."""
        from training.calibration import Doubted, ask_again

        began = time.perf_counter()
        if self._calibration:
            (found,) = ask_again(self._answerer, [question])
        else:
            found = Doubted(self._answerer.answer([question])[0], agreement=1.0)
        latency = time.perf_counter() - began
        return reply_to(
            question,
            found.answer,
            latency=latency,
            blind=self._blind,
            calibration=self._calibration,
            agreement=found.agreement,
        )


class RoutedAsker:
    """One NKR behind the router: its weights, then its evidence; answers are cited."""

    def __init__(self, folder: Path, *, backbone: str | None = None, device: str = "auto") -> None:
        from graphs.desk import Desk, Settings, open_desk

        self._settings = Settings(nkr_dir=str(folder), backbone=backbone, device=device)  # type: ignore[arg-type]
        desk: Desk = open_desk(self._settings, anew=True)
        self._name = next(iter(desk.library.volumes()))

    def ask(self, question: str) -> Reply:
        """Answer one question."""
        from graphs.router import graph

        began = time.perf_counter()
        found: Any = graph.invoke(
            {"question": question, "video": self._name, "turns": []}, context=self._settings
        )
        return Reply(
            question=question,
            answer=found["answer"],
            source=found["route"],
            confidence=found["confidence"],
            citations=[
                Citation(start=cited["start"], end=cited["end"], text=cited["text"])
                for cited in found["citations"]
            ],
            latency_ms=round(1000 * (time.perf_counter() - began), 1),
        )


def reply_to(
    question: str,
    answer: "Answer",
    *,
    latency: float,
    blind: bool,
    calibration: "Calibration | None" = None,
    agreement: float = 1.0,
) -> Reply:
    """Return the reply that an answer of the weights, given in ``latency`` seconds, makes.

    With a calibration an answer under its threshold becomes the refusal; ``agreement`` (0 to 1) is
    how far the weights keep to their answer when the question is reworded.
    """
    from training.corpus import REFUSAL
    from training.scoring import is_refusal

    refused = is_refusal(answer.text)
    if calibration is None:
        confidence = round(math.exp(answer.logprob), 4)
    else:
        confidence = calibration.confidence(answer, agreement)
        refused = refused or confidence < calibration.threshold
    return Reply(
        question=question,
        answer=REFUSAL if refused else answer.text,
        source="blind" if blind else "abstain" if refused else "weights",
        confidence=confidence,
        citations=[],
        latency_ms=round(1000 * latency, 1),
    )


def read_questions(path: Path) -> list[str]:
    """Read a JSON Lines file of objects with `question`. Raises InputError where it is not one."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: give a JSON Lines file.") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            item: Any = json.loads(line)
            question = item["question"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(
                f'Line {number} of {path} is not an object with "question": mend that line.'
            ) from error
        if not isinstance(question, str) or not question.strip():
            raise InputError(f"Line {number} of {path} asks nothing: mend that line.")
        questions.append(question)
    if not questions:
        raise InputError(f'{path} holds no question: write one object with "question" a line.')
    return questions
