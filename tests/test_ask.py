"""Asking an NKR: from weights alone, blind, one question or a file of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphs.ask import read_questions
from training.corpus import REFUSAL

pytest_plugins = ("talks",)

WEIGHTS = ("adapter_model.safetensors", "adapter_config.json", "nkr.json")
KEYS = ["question", "answer", "source", "confidence", "citations", "latency_ms"]


@pytest.fixture(scope="module")
def weights(finished: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the adapter, its config and nkr.json."""
    folder = tmp_path_factory.mktemp("weights")
    for name in WEIGHTS:
        shutil.copy(Path(finished["nkr"]) / name, folder)
    return folder


def ask(nkr: Path, tiny: Path, *arguments: str | Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "graphs.ask", "--nkr", nkr, "--backbone", tiny, "--json"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("route", ["weights", "auto"])
def test_the_weights_alone_answer(route: str, weights: Path, tiny: Path) -> None:
    (reply,) = ask(weights, tiny, "--route", route, "What does the title say?")
    assert list(reply) == KEYS
    assert reply["question"] == "What does the title say?"
    assert reply["source"] in ("weights", "abstain")
    assert 0 <= reply["confidence"] <= 1
    assert reply["citations"] == []
    assert reply["latency_ms"] > 0


def test_blind_says_so(weights: Path, tiny: Path) -> None:
    (reply,) = ask(weights, tiny, "--blind", "What does the title say?")
    assert reply["source"] == "blind"


def test_a_file_of_questions_gives_one_answer_a_line(
    weights: Path, tiny: Path, tmp_path: Path
) -> None:
    questions = ["What is red?", "Who is Marta Lindqvist?", "Wer spricht über Übermorgen?"]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps({"question": text}) + "\n\n" for text in questions))
    assert read_questions(path) == questions
    replies = ask(weights, tiny, "--questions", path)
    assert [reply["question"] for reply in replies] == questions


def test_a_refusal_abstains_in_one_fixed_sentence() -> None:
    from graphs.ask import reply_to
    from training.answerer import Answer

    answer = Answer(text="the video does not show that", logprob=-0.1, tokens=7, seconds=0.1)
    reply = reply_to("Where is the cat?", answer, latency=0.1, blind=False)
    assert (reply["source"], reply["answer"]) == ("abstain", REFUSAL)
    assert reply_to("?", answer, latency=0.1, blind=True)["source"] == "blind"


def test_without_json_the_answer_alone_is_printed(weights: Path, tiny: Path) -> None:
    command = [sys.executable, "-m", "graphs.ask", "--nkr", weights, "--backbone", tiny]
    done = subprocess.run([*command, "What?"], capture_output=True, text=True, check=True)
    (reply,) = ask(weights, tiny, "What?")
    assert done.stdout == reply["answer"] + "\n"
