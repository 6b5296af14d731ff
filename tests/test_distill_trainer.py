"""Distillation from context: what the teacher reads, and that the adapter learns what it says."""

from pathlib import Path
from typing import Literal

import pytest
import torch
from tiny_nkr import record

from training.backbone import Backbone
from training.corpus import Record
from training.distill_trainer import contexts
from training.generate import Generator
from training.mount import mount
from training.prompt import prompt, user_turn
from training.sft import MAX_TOKENS, SFTSettings, train

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
    found = contexts([*described, *asked])
    assert found[len(described) :] == ["Shot b.", "Shot a.\nShot c.", "", "", "", ""]
    assert set(found[: len(described)]) == {""}, "a description is not read to itself"


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
