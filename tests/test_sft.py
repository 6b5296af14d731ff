"""Training: which layers, which loss, checkpoints, deadlines, and that nothing is left behind."""

import json
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_nkr import PAIRS, RECORDS, record

from training.backbone import Backbone, load_backbone, weights_hash
from training.errors import NKRError
from training.lora import adapted_linears
from training.mount import mount
from training.nkr import WEIGHTS
from training.prompt import prompt
from training.sft import SFTSettings, TrainReport, train
from training.trainer import batches
from training.trainer.batches import SimilarLengths
from training.trainer.lora_trainer import LoraTrainer

pytest_plugins = ("tiny_nkr",)

FEW = SFTSettings(epochs=100, max_steps=6, batch_size=2, save_every=2, warmup=1)


def weights(report: TrainReport) -> dict[str, torch.Tensor]:
    return load_file(report.adapter / "adapter_model.safetensors")


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_only_the_language_models_layers_outside_attention_are_adapted(
    trained: TrainReport,
) -> None:
    names = list(weights(trained))
    assert len(names) == 2 * 2 * 3
    assert all(".language_model.layers." in name for name in names)
    assert not any("visual" in name or "embed" in name or "lm_head" in name for name in names)


def test_the_regex_names_the_language_model(backbone: Backbone) -> None:
    regex = adapted_linears(backbone.model)
    assert regex.startswith(r"model\.language_model\.")
    assert "q_proj" not in regex
    assert "down_proj" in regex


def test_the_adapters_config_names_the_backbone_and_no_path(trained: TrainReport) -> None:
    config = json.loads((trained.adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert config["r"] == 32
    assert "training_args.bin" not in {path.name for path in trained.adapter.iterdir()}


def test_the_report_counts_tokens_without_padding(backbone: Backbone, tmp_path: Path) -> None:
    report = train(
        backbone, RECORDS, tmp_path, SFTSettings(epochs=3, batch_size=2, replay_share=0.0)
    )
    tokenizer, processor = backbone.tokenizer, backbone.processor
    texts = [f"{prompt(processor, question)}{answer}<|im_end|>\n" for question, answer in PAIRS]
    assert report.tokens == 3 * sum(map(len, tokenizer(texts)["input_ids"]))
    assert report.steps == 3 * 3
    assert report.records == len(RECORDS)
    assert report.tokens_per_second == pytest.approx(report.tokens / report.seconds)
    assert not report.stopped


@pytest.mark.parametrize(("fewest", "steps"), [(1, 3), (5, 5)])
def test_exposures_decide_on_the_steps_but_for_the_fewest(
    backbone: Backbone, tmp_path: Path, fewest: int, steps: int
) -> None:
    facts = ("f1", "f1", "f2", "f2")
    records = [record(*pair, fact_ids=(fact,)) for pair, fact in zip(PAIRS[:4], facts, strict=True)]
    settings = SFTSettings(exposures=3, fewest_steps=fewest, batch_size=2, replay_share=0.0)
    # A fact stands in two of the four records: three exposures are one pass and a half.
    assert train(backbone, records, tmp_path, settings).steps == steps


def test_random_numbers_go_on_as_they_would(backbone: Backbone, tmp_path: Path) -> None:
    random.seed(3)
    expected = random.Random(3).random()
    train(backbone, RECORDS, tmp_path, SFTSettings(max_steps=1))
    assert random.random() == expected


def test_the_backbone_is_left_as_it_was(backbone: Backbone, tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in backbone.model.state_dict().items()}
    attention = backbone.model.config._attn_implementation
    train(backbone, RECORDS, tmp_path, FEW)
    after = backbone.model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(value.requires_grad for value in backbone.model.parameters())
    assert not backbone.model.training
    assert "forward" not in backbone.model.__dict__
    assert backbone.model.config._attn_implementation == attention


def test_training_prints_and_warns_of_nothing(
    backbone: Backbone,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    train(backbone, RECORDS, tmp_path, FEW)
    train(backbone, RECORDS, tmp_path / "again", FEW)
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []


def test_the_same_seed_gives_the_same_adapter(backbone: Backbone, tmp_path: Path) -> None:
    one = weights(train(backbone, RECORDS, tmp_path / "a", FEW))
    other = weights(train(backbone, RECORDS, tmp_path / "b", FEW))
    third = weights(
        train(backbone, RECORDS, tmp_path / "c", SFTSettings(**{**vars(FEW), "seed": 1}))
    )
    assert same(one, other)
    assert not same(one, third)


def test_only_records_of_split_train_are_learned(backbone: Backbone, tmp_path: Path) -> None:
    held = [record("When?", "00:01", split=split) for split in ("exam", "calibrate", "check")]
    report = train(backbone, [*RECORDS, *held], tmp_path, FEW)
    assert report.records == len(RECORDS)
    with pytest.raises(NKRError, match="no training records"):
        train(backbone, held, tmp_path / "none", FEW)


def test_text_that_spells_special_tokens_can_be_learned(backbone: Backbone, tmp_path: Path) -> None:
    odd = [record("What is <|image_pad|> at <|im_end|>?", "<|im_start|>assistant <|video_pad|>")]
    assert train(backbone, odd, tmp_path, FEW).steps == 6


class StoppedError(Exception):
    """Raised in the middle of a training."""


@pytest.mark.parametrize("error", [StoppedError, KeyboardInterrupt])
def test_a_stopped_training_goes_on_where_it_was(
    backbone: Backbone, tmp_path: Path, error: type[BaseException]
) -> None:
    unbroken = train(backbone, RECORDS, tmp_path / "unbroken", FEW)
    seen: list[int] = []

    def stop(step: int, steps: int, loss: float) -> None:
        seen.append(step)
        if step == 5 and len(seen) == 5:
            raise error

    with pytest.raises(error):
        train(backbone, RECORDS, tmp_path / "broken", FEW, on_step=stop)
    assert not hasattr(backbone.model, "peft_config")
    resumed = train(backbone, RECORDS, tmp_path / "broken", FEW, on_step=stop)
    assert seen == [1, 2, 3, 4, 5, 5, 6]
    assert same(weights(unbroken), weights(resumed))
    assert resumed.tokens == unbroken.tokens
    assert resumed.steps == 6


def test_a_training_that_ended_within_an_epoch_is_not_gone_on_with(
    backbone: Backbone, tmp_path: Path
) -> None:
    settings = replace(FEW, max_steps=5, warmup=10)
    first = train(backbone, RECORDS, tmp_path, settings)
    learnt = (first.adapter / WEIGHTS).read_bytes()
    seen: list[int] = []
    again = train(backbone, RECORDS, tmp_path, settings, on_step=lambda step, *_: seen.append(step))
    assert (seen, again) == ([], first)
    assert (again.adapter / WEIGHTS).read_bytes() == learnt


def test_a_half_written_checkpoint_is_passed_over(backbone: Backbone, tmp_path: Path) -> None:
    train(backbone, RECORDS, tmp_path, FEW)
    half = tmp_path / "checkpoints" / "checkpoint-9"
    half.mkdir()
    (half / "trainer_state.json").write_text('{"global_step": ')
    seen: list[int] = []
    train(backbone, RECORDS, tmp_path, FEW, on_step=lambda step, *_: seen.append(step))
    assert seen == []
    assert not half.exists()


@pytest.mark.parametrize("way", ["cut", "flipped", "removed"])
@pytest.mark.parametrize(
    "name",
    [
        "adapter_model.safetensors",
        "optimizer.pt",
        "scheduler.pt",
        "rng_state.pth",
        "trainer_state.json",
    ],
)
def test_a_damaged_checkpoint_is_passed_over(
    backbone: Backbone, tmp_path: Path, name: str, way: str
) -> None:
    train(backbone, RECORDS, tmp_path, FEW)
    (checkpoint,) = (tmp_path / "checkpoints").glob("checkpoint-*")
    whole = bytearray((checkpoint / name).read_bytes())
    whole[-3] ^= 1
    (checkpoint / name).write_bytes(whole if way == "flipped" else whole[: len(whole) // 2])
    if way == "removed":
        (checkpoint / name).unlink()
    seen: list[int] = []
    train(backbone, RECORDS, tmp_path, FEW, on_step=lambda step, *_: seen.append(step))
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("change", ["records", "settings", "resume"])
def test_what_was_trained_otherwise_is_not_gone_on_from(
    backbone: Backbone, tmp_path: Path, change: str
) -> None:
    train(backbone, RECORDS, tmp_path, FEW)
    seen: list[int] = []
    train(
        backbone,
        RECORDS[:-1] if change == "records" else RECORDS,
        tmp_path,
        SFTSettings(**{**vars(FEW), "learning_rate": 1e-3}) if change == "settings" else FEW,
        on_step=lambda step, *_: seen.append(step),
        resume=change != "resume",
    )
    assert seen == [1, 2, 3, 4, 5, 6]


def test_one_checkpoint_is_kept(trained: TrainReport) -> None:
    kept = sorted(path.name for path in (trained.adapter.parent / "checkpoints").iterdir())
    assert kept == ["checkpoint-120", "fingerprint"]


def test_a_deadline_stops_training_with_an_adapter(backbone: Backbone, tmp_path: Path) -> None:
    settings = SFTSettings(epochs=100_000, batch_size=2, save_every=10_000)
    deadline = time.monotonic() + 8
    report = train(backbone, RECORDS, tmp_path, settings, deadline=deadline)
    assert report.stopped
    assert 0 < report.steps < 300_000
    assert weights(report)
    (checkpoint,) = (tmp_path / "checkpoints").glob("checkpoint-*")
    rates = torch.load(checkpoint / "scheduler.pt")["_last_lr"]
    assert all(0 <= rate < settings.learning_rate / 2 for rate in rates)


def test_a_deadline_that_is_past_still_gives_an_adapter(backbone: Backbone, tmp_path: Path) -> None:
    report = train(backbone, RECORDS, tmp_path, FEW, deadline=time.monotonic() - 1)
    assert report.stopped
    assert report.steps == 1
    assert weights(report)


def test_batches_hold_similar_lengths_in_an_order_of_their_epoch() -> None:
    lengths = [10 + 7 * (i % 50) for i in range(130)]
    sampler = SimilarLengths(lengths, [False] * 130, 16, seed=3)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == list(range(130))
    batches = [orders[0][i : i + 16] for i in range(0, 130, 16)]
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)
    firsts = [max(lengths[i] for i in batch) for batch in batches[:-1]]
    assert firsts != sorted(firsts)


@pytest.mark.parametrize("alike", [False, True])
def test_exercises_have_batches_of_their_own(alike: bool) -> None:
    lengths = [20 + i % 60 for i in range(105)] + [30 + i % 120 for i in range(40)]
    exercises = [False] * 105 + [True] * 40
    order = list(SimilarLengths([1] * 145 if alike else lengths, exercises, 16, seed=0))
    assert sorted(order) == list(range(145))
    batches = [order[i : i + 16] for i in range(0, 145, 16)]
    held = [sum(exercises[i] for i in batch) for batch in batches]
    # What is left over of either kind comes last, together.
    assert sorted(held[:8]) == [0] * 6 + [16] * 2
    assert held[:8] != sorted(held[:8])


def test_an_adapter_is_of_its_backbones_precision(backbone_folder: Path, tmp_path: Path) -> None:
    backbone = load_backbone(str(backbone_folder), device="cpu", backbone_name="tiny")
    backbone.model.to(torch.bfloat16)
    told = train(backbone, RECORDS, tmp_path, SFTSettings(epochs=4, replay_share=0.0))
    assert {weight.dtype for weight in weights(told).values()} == {torch.bfloat16}
    mounted = mount(backbone, told.adapter)._answerer._model
    adapters = [weight for name, weight in mounted.named_parameters() if "lora_" in name]
    assert {weight.dtype for weight in adapters} == {torch.bfloat16}
    again = SFTSettings(epochs=1, replay_share=0.0)
    assert train(backbone, RECORDS, tmp_path / "on", again, start=told.adapter).steps == 1


def test_weights_are_hashed_once_as_long_as_they_stay(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    first = weights_hash(tmp_path)
    assert weights_hash(tmp_path) == first
    file.write_bytes(b"other")
    assert weights_hash(tmp_path) != first


def test_a_batch_in_pieces_has_the_loss_and_gradient_of_the_whole(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long records would take gigabytes together; weights and teachers count as before."""
    pieces: list[int] = []
    shortcut = LoraTrainer.answer_loss

    def noted(self: LoraTrainer, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        pieces.append(len(inputs["row"]))
        return shortcut(self, model, inputs)

    monkeypatch.setattr(LoraTrainer, "answer_loss", noted)
    monkeypatch.setattr("training.sft.uses_bf16", lambda device: False)

    def losses(most: int) -> list[float]:
        found: list[float] = []
        monkeypatch.setattr(batches, "MOST_TOKENS", most)
        settings = SFTSettings(max_steps=6, fewest_steps=6, batch_size=10, replay_share=1.0)
        folder = tmp_path / str(most)
        train(backbone, RECORDS, folder, settings, on_step=lambda *told: found.append(told[2]))
        return found

    whole = losses(10**6)
    assert pieces == [10] * 6
    pieces.clear()
    # A row is longer than this.
    assert losses(1) == pytest.approx(whole, rel=1e-3)
    assert pieces == [1] * 60
