"""The speed of learning: a frozen corpus, and variants that do what their names say."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftConfig

from evals import learning_speed
from evals.learning_speed import (
    SPEED,
    Results,
    Variant,
    every_logit,
    measure,
    trained,
)
from evals.reference import REFERENCE, reference
from training.trainer import batches
from training.trainer.lora_trainer import LoraTrainer


def test_the_reference_corpus_is_frozen() -> None:
    digest = hashlib.sha256(REFERENCE.read_bytes()).hexdigest()
    assert digest == "22290368ff474ed95da1e0db9cdc2e24a7f4e29b532a99a7cc9408f3298732c8"
    records = reference()
    assert len({fact for r in records if r.split == "train" for fact in r.fact_ids}) == 812
    assert {r.split for r in records} >= {"train", "exam"}


def test_logits_of_every_token_cost_time_but_change_no_loss() -> None:
    """Both losses of one batch, of the same trainer."""
    seen: list[tuple[float, float]] = []
    shortcut = LoraTrainer.answer_loss

    def both(self: LoraTrainer, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        found = shortcut(self, model, inputs)
        with every_logit():
            whole = shortcut(self, model, inputs)
        seen.append((found.item(), whole.item()))
        return found

    records = [r for r in reference() if r.split == "train"][:64]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LoraTrainer, "answer_loss", both)
        # Each batch whole, however long its records.
        patch.setattr(batches, "MOST_TOKENS", 10**6)
        trained(SPEED["as it is"], records, 2)
    assert len(seen) == 2
    for found, whole in seen:
        assert found == pytest.approx(whole, rel=1e-2)


def test_adapters_on_attention_too_hold_more_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = []
    finish = learning_speed.mount

    def mount(backbone: Any, adapter: Path, **told: Any) -> Any:
        layers.append(PeftConfig.from_pretrained(str(adapter)).target_modules)
        return finish(backbone, adapter, **told)

    monkeypatch.setattr(learning_speed, "mount", mount)
    records = [r for r in reference() if r.split == "train"][:32]
    for name in ("no warm start", "adapters on attention too, no warm start"):
        trained(learning_speed.LEARNING[name], records, 1)
    queries = "model.language_model.layers.0.self_attn.q_proj"
    assert [bool(re.fullmatch(names, queries)) for names in layers] == [False, True]


def test_rows_are_trained_once_by_steps_that_the_budget_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scripted training of a tenth of a second a step: what it learns grows with its steps."""
    runs = []

    def scripted(variant: Variant, records: object, steps: int) -> dict[str, Any]:
        runs.append(steps)
        recall = min(1.0, steps / 16000)
        told = {"steps": steps, "seconds": steps / 10, "seconds_per_step": 0.1}
        return {**told, "tokens_per_second": 1, "recall": recall}

    monkeypatch.setattr(learning_speed, "trained", scripted)
    kept = tmp_path / "kept.json"
    found = measure(reference(), (1.0, 2.0), Results(kept))
    curve = [row for row in found["learning"] if row["variant"] == "as it is"]
    assert [row["steps"] for row in curve] == [8120, 16240]
    assert found["seconds_per_fact_to_0.95"] == pytest.approx(2.0)
    others = [row for row in found["learning"] if row["variant"] not in learning_speed.CURVES]
    assert {row["steps"] for row in others} == {8120}
    made = len(runs)
    assert measure(reference(), (1.0, 2.0), Results(kept)) == found
    assert len(runs) == made, "what is kept is not trained again"
