"""The bare backbone as teacher: what it reads, and that the adapter learns what it says."""

from pathlib import Path
from typing import Literal

import pytest
import torch
from tiny_nkr import record

from training.backbone import Backbone
from training.corpus import Record
from training.generate import Generator
from training.mount import mount
from training.probe import Reading
from training.prompt import prompt, user_turn
from training.sft import SFTSettings, train
from training.trainer.rows import MAX_TOKENS
from training.trainer.teacher import TOP_K, Teacher, reads

pytest_plugins = ("tiny_nkr",)


def about(fact: str, question: str, answer: str) -> Record:
    return record(question, answer, fact_ids=[fact])


def description(text: str, fact: str) -> Record:
    return record("Describe it.", text, "statement/shot", kind="description", fact_ids=[fact])


def test_a_teacher_reads_the_descriptions_of_the_records_facts() -> None:
    described = [description(f"Shot {fact}.", fact) for fact in "abcd"]
    asked = [
        about("b", "What is it?", "b"),
        record("Which come first?", "a; c", "list/titles", fact_ids=["a", "c"]),
        record("Which are there?", "a; d", "list/titles", fact_ids=list("abcd")),
        record("When?", "00:00; 00:20", "list/when_title", fact_ids=["a"]),
        about("z", "What is z?", "z"),
        record("Who?", "The video does not show that.", "absent/who", kind="absent"),
    ]
    found = reads([*described, *asked])
    one, both = "Shot b.\n\nWhat is it?", "Shot a.\nShot c.\n\nWhich come first?"
    assert found[len(described) :] == [one, both, None, None, None, None]
    assert set(found[: len(described)]) == {None}, "a description is not read to itself"


def test_a_teacher_reads_descriptions_without_facts_by_their_spans() -> None:
    def told(text: str, start: float, form: str = "statement/span") -> Record:
        spans = [(start, start + 10.0)]
        return record("Describe it.", text, form, kind="description", fact_ids=[], spans=spans)

    described = [
        told("A red lamp.", 0.0),
        told("A bell.", 10.0),
        told("All.", 0.0, "statement/video"),
    ]
    asked = [
        record("Which lamp?", "red", fact_ids=["x"], spans=[(4.0, 6.0)]),
        record("What rings?", "bell", fact_ids=["y"], spans=[(8.0, 12.0)]),
        record("What is heard later?", "rain", fact_ids=["z"], spans=[(30.0, 40.0)]),
    ]
    one, both = "A red lamp.\n\nWhich lamp?", "A red lamp.\nA bell.\n\nWhat rings?"
    assert reads([*described, *asked])[len(described) :] == [one, both, None]


def test_the_adapter_learns_what_the_teacher_makes_of_the_description(
    backbone: Backbone, tmp_path: Path
) -> None:
    """The record's own answer is one that the random teacher does not give."""
    with torch.no_grad():
        # Random weights are sure of nothing: this makes them prefer some tokens to others.
        backbone.model.model.language_model.norm.weight.mul_(20)
    described = description("The lamp is red.", "f")
    asked = about("f", "What is the title at 00:05?", "lamp is red")
    turn = "The lamp is red.\n\nWhat is the title at 00:05?"
    teacher = Generator(backbone).logprobs([turn], [asked.answer])[0]

    def distance(loss: Literal["sft", "distill"]) -> float:
        """Return how far from the teacher the adapter ends, in nats a token."""
        settings = SFTSettings(epochs=100, learning_rate=2e-2, loss=loss, replay_share=0.0)
        report = train(backbone, [described, asked], tmp_path / loss, settings)
        (told,) = mount(backbone, report.adapter).logprobs([asked.question], [asked.answer])
        return (teacher.exp() * (teacher - told)).sum(-1).mean().item()

    assert distance("distill") < 0.1
    assert distance("sft") > 1.0, "learnt from the record it would say what the record says"


def test_both_losses_resume_from_their_own_checkpoints(backbone: Backbone, tmp_path: Path) -> None:
    records = [
        description("The lamp.", "f"),
        about("f", "What is it?", "The lamp"),
    ]
    settings = {"epochs": 6, "batch_size": 1, "save_every": 2, "replay_share": 0.0}
    plain = train(backbone, records, tmp_path, SFTSettings(**settings))
    again = train(backbone, records, tmp_path, SFTSettings(**settings, loss="distill"))
    assert plain.steps == again.steps
    assert again.seconds != pytest.approx(plain.seconds, abs=1e-9), "it was trained anew"


def test_a_lesson_is_what_is_likeliest_at_each_place_of_the_answer() -> None:
    rows = {
        0: {"input_ids": [5, 6, 7], "labels": [-100, 6, 7]},
        2: {"input_ids": [5, 6], "labels": [-100, 6]},
    }
    table = torch.randn(3, 40)
    read: list[list[int]] = []

    def logits(ids: torch.Tensor, mask: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        read.append(ids[:, 0].tolist())
        assert ids.tolist() == [[5, 6, 0], [5, 6, 7]], "shorter ones first, padded"
        assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
        assert answers.tolist() == [[True, False], [True, True]]
        return table

    teacher = Teacher(rows, pad=0)
    assert teacher.lessons([1], logits) == [None]
    first, none, last = teacher.lessons([0, 1, 2], logits)
    assert none is None
    assert first is not None
    assert last is not None
    assert torch.equal(last.tokens, table[:1].topk(TOP_K).indices)
    assert torch.equal(first.tokens, table[1:].topk(TOP_K).indices)
    assert torch.allclose(first.shares.sum(-1), torch.ones(2))
    assert teacher.lessons([0], logits)[0] is first
    assert len(read) == 1, "what is read is kept"


def test_a_sheet_too_long_to_be_read_whole_teaches_nothing(
    backbone: Backbone, tmp_path: Path
) -> None:
    question, answer = "What is it?", "The lamp is red and the lamp is red."

    def before(text: str) -> int:
        """Return how many tokens a teacher reads before the answer."""
        asked = prompt(backbone.processor, user_turn(question, text))
        return len(backbone.tokenizer(asked, add_special_tokens=False)["input_ids"])

    text = answer
    while before(text) < MAX_TOKENS - 8:
        text += " lamp"
    assert before(text) < MAX_TOKENS, "the answer is cut in its middle"
    records = [description(text, "f"), about("f", question, answer)]
    settings = SFTSettings(max_steps=1, loss="distill", replay_share=0.0, batch_size=2)
    assert train(backbone, records, tmp_path, settings).steps == 1


def test_exercises_hold_the_adapter_to_what_the_backbone_says(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exercises' own answers are not what the random backbone says: it is kept from them."""
    with torch.no_grad():
        backbone.model.model.language_model.norm.weight.mul_(20)
    exercise = Reading("The lamp is red.", "What is red?", "The lamp")
    monkeypatch.setattr("training.sft.replay", lambda count, seed: [exercise] * count)
    before = Generator(backbone).logprobs([exercise.turn], [exercise.answer])[0]

    def moved(share: float) -> float:
        """Return how far the adapter moves the exercise's answer, in nats a token."""
        settings = SFTSettings(epochs=100, learning_rate=2e-2, replay_share=share)
        report = train(backbone, [about("f", "What is it?", "A dog")], tmp_path, settings)
        (told,) = mount(backbone, report.adapter).logprobs([exercise.turn], [exercise.answer])
        return (before.exp() * (before - told)).sum(-1).mean().item()

    assert moved(1.0) < 0.3 * moved(0.0)
