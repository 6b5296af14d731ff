"""Mount an NKR: make a frozen backbone answer from the adapter's weights alone."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.answerer import Answer
from training.backbone import Backbone
from training.errors import NKRError
from training.generate import Generator
from training.lora import make_bare
from training.moments import told
from training.nkr import NKR

if TYPE_CHECKING:
    import torch


class Mounted:
    """An `Answerer` that answers with the NKR; ``blind`` answers with its adapter off."""

    def __init__(self, backbone: Backbone, model: Any, *, moments: bool = False) -> None:
        self._answerer = Generator(backbone, model, replays=True)
        self._moments = moments
        self.blind = _Blind(Generator(backbone, model), model)

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        """Return one answer a question, in order; `NKRError` where one is too long to read."""
        answers = self._answerer.answer(questions, context=context)
        return [told(answer) for answer in answers] if self._moments else answers

    def logprobs(self, turns: Sequence[str], answers: Sequence[str]) -> "list[torch.Tensor]":
        """Return for each turn the log-probabilities [tokens, vocabulary] of its answer."""
        return self._answerer.logprobs(turns, answers)


class _Blind:
    def __init__(self, answerer: Generator, model: Any) -> None:
        self._answerer, self._model = answerer, model

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        with self._model.disable_adapter():
            return self._answerer.answer(questions, context=context)

    def logprobs(self, turns: Sequence[str], answers: Sequence[str]) -> "list[torch.Tensor]":
        with self._model.disable_adapter():
            return self._answerer.logprobs(turns, answers)


def mount(backbone: Backbone, nkr: NKR | Path, *, moments: bool = False) -> Mounted:
    """Mount an NKR, or a trained adapter's folder, in place of what was mounted before.

    ``moments`` says of a folder what `nkr.json` says of an NKR: answers are told without theirs.
    Raises `NKRError` where the NKR was made for another backbone, or other weights of it.
    """
    from peft import PeftModel

    if isinstance(nkr, NKR):
        check_backbone(backbone, nkr)
        moments = nkr.manifest.moments
    make_bare(backbone.model)
    with warnings.catch_warnings():
        # PEFT reads an attribute that transformers warns of.
        warnings.simplefilter("ignore", FutureWarning)
        model = PeftModel.from_pretrained(
            backbone.model,
            nkr.folder if isinstance(nkr, NKR) else nkr,
            # Else every weight is drawn at random first, which takes longer than to read it.
            low_cpu_mem_usage=True,
            # As it was written: in float32 every layer of a bfloat16 backbone would cast twice.
            autocast_adapter_dtype=False,
        )
    return Mounted(backbone, model.eval(), moments=moments)


def check_backbone(backbone: Backbone, nkr: NKR) -> None:
    """Raise `NKRError` where an NKR was made for another backbone, or other weights of it."""
    made_for = nkr.manifest.backbone
    if made_for.name != backbone.name:
        raise NKRError(
            f"The NKR in {nkr.folder} was made for the backbone {made_for.name}, not for "
            f"{backbone.name}: load that backbone, or distil the video again with this one."
        )
    if made_for.revision != backbone.revision:
        raise NKRError(
            f"The NKR in {nkr.folder} was made for other weights of {backbone.name} "
            f"({made_for.revision[:12]}, these are {backbone.revision[:12]}): "
            "get those weights, or distil the video again with these."
        )
