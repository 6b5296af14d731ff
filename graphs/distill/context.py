"""The settings of a distillation: what Studio shows and every node reads from its runtime."""

import time
from dataclasses import asdict, field
from typing import Literal

from pydantic.dataclasses import dataclass

# What of `max_minutes` is kept for exams, the check and publishing: a share within these seconds.
KEPT_SHARE, KEPT = 0.15, (15.0, 300.0)


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings only: what is loaded from them lives in `graphs.distill.resources`.

    They are checked here, because Studio's API hands over what its user wrote.
    """

    agents: str = field(
        default="embedded",
        metadata={
            "description": "Who writes the corpus: `embedded` (needs no model), `openai:MODEL`, or "
            "`backbone`, where that is one that sees."
        },
    )
    base_url: str | None = field(
        default=None,
        metadata={"description": "The OpenAI-compatible server of the agents' model."},
    )
    call_timeout: float = field(
        default=120.0,
        metadata={"description": "Seconds that one call to the agents' model may take."},
    )
    max_calls: int | None = field(
        default=None,
        metadata={"description": "Calls to the agents' model at most; then what is there is used."},
    )
    max_cost: float | None = field(
        default=None,
        metadata={"description": "US dollars for the agents' model at most, in this run."},
    )
    price: tuple[float, float] | None = field(
        default=None,
        metadata={"description": "US dollars for a million tokens [read, written] of that model."},
    )
    keyframes: Literal["differential", "clustering", "uniform"] = field(
        default="differential",
        metadata={"description": "How the frames are chosen that a model of the agents sees."},
    )
    image_embedder: str | None = field(
        default=None,
        metadata={"description": "A CLIP or SigLIP model that tells which frames fit a question."},
    )
    whisper: str | None = field(
        default=None,
        metadata={"description": "Whisper model of the speech; none: one that is here, if any."},
    )
    align: str | None = field(
        default=None,
        metadata={
            "description": "Model that times the words; none: the language's, if it is here."
        },
    )
    diarize: str | None = field(
        default=None,
        metadata={"description": "Pipeline that tells speakers apart; none: they are not."},
    )
    backbone: str = field(
        default="embedded",
        metadata={"description": "The frozen model: `embedded`, a hub name or a folder."},
    )
    backbone_name: str | None = field(
        default=None,
        metadata={"description": "The name that the NKR gives to a backbone from a folder."},
    )
    device: Literal["auto", "cpu", "cuda"] = field(
        default="auto",
        metadata={"description": "Where the backbone is: `auto` takes a GPU that is there."},
    )
    out: str = field(
        default="runs",
        metadata={"description": "The folder that runs and published NKRs are kept in."},
    )
    seed: int = field(
        default=0,
        metadata={"description": "Seed of wording, shuffling and training."},
    )
    max_minutes: float | None = field(
        default=None,
        metadata={"description": "Minutes for the whole run; what is there then is published."},
    )
    max_revisions: int = field(
        default=1,
        metadata={"description": "How often rejected pairs go back to the question-writer."},
    )
    max_steps: int | None = field(
        default=None,
        metadata={"description": "Training steps at most; none: as many as the corpus asks for."},
    )
    target_recall: float = field(
        default=0.97,
        metadata={"description": "Recall on the exam split at which the closed loop ends."},
    )
    max_rounds: int = field(
        default=2,
        metadata={"description": "How often what an exam found unknown is taught anew."},
    )
    loss: Literal["sft", "distill"] = field(
        default="sft",
        metadata={"description": "Learn the answers, or what the backbone reads in a description."},
    )
    max_accuracy_lost: float = field(
        default=0.02,
        metadata={"description": "Share of the forgetting probe's answers that may be lost."},
    )
    max_kl: float = field(
        default=0.5,
        metadata={"description": "Nats by which the adapter may move the backbone on the probe."},
    )
    min_unchanged: float = field(
        default=0.8,
        metadata={"description": "Share of the probe's answers that must stay as they are."},
    )
    force: bool = field(
        default=False,
        metadata={"description": "Publish past the limits of the forgetting probe, and say so."},
    )
    approve: tuple[Literal["plan", "corpus"], ...] = field(
        default=(),
        metadata={"description": "What a human approves before the run goes on: plan, corpus."},
    )
    max_concurrency: int = field(
        default=2,
        metadata={"description": "How many spans are worked on at once."},
    )
    started: float = field(
        default_factory=time.time,
        metadata={"description": "When the clock of `max_minutes` began, in seconds since 1970."},
    )

    def lasting(self) -> dict[str, str | int | float | None]:
        """Return the settings that decide what an NKR holds; the others decide how it is made."""
        passing = {"out", "max_minutes", "max_concurrency", "started", "force", "approve"}
        passing |= {"max_accuracy_lost", "max_kl", "min_unchanged"}
        passing |= {"device", "base_url", "call_timeout", "max_calls", "max_cost", "price"}
        return {name: value for name, value in asdict(self).items() if name not in passing}

    def out_of_time(self, share: float) -> bool:
        """Say whether ``share`` (0 to 1) of `max_minutes` is over."""
        return time.time() >= self.moment(share)

    def moment(self, share: float) -> float:
        """Return when ``share`` of `max_minutes` will be over, in seconds since 1970."""
        if self.max_minutes is None:
            return float("inf")
        return self.started + 60 * self.max_minutes * share

    def closing(self, part: float) -> float:
        """Return when ``part`` (0 to 1) of what is kept of `max_minutes` after training is left.

        In seconds since 1970; it is kept for exams, the check and publishing.
        """
        if self.max_minutes is None:
            return float("inf")
        least, most = KEPT
        kept = min(most, max(least, KEPT_SHARE * 60 * self.max_minutes))
        return self.moment(1.0) - part * kept
