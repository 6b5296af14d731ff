"""Asking an NKR: from weights alone, blind, one question or a file of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tiny_nkr import PAIRS, publish_tiny

from graphs.asker import Asker, read_questions, reply_to
from tools.errors import InputError
from training.answerer import Answer
from training.backbone import Backbone
from training.calibration import Calibration, rewordings
from training.corpus import REFUSAL
from training.sft import TrainReport

pytest_plugins = ("talks", "tiny_nkr")

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


def test_a_file_that_begins_with_a_mark_of_bytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "Who?"}', encoding="utf-8-sig")
    assert read_questions(path) == ["Who?"]


@pytest.mark.parametrize(
    ("text", "told"), [("[" * 100_000, "Line 1"), ("", "no question"), ("\n \n", "no question")]
)
def test_a_file_without_questions_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_questions(path)


def test_a_refusal_abstains_in_one_fixed_sentence() -> None:
    answer = Answer(text="the video does not show that", logprob=-0.1, tokens=7, seconds=0.1)
    reply = reply_to("Where is the cat?", answer, latency=0.1, blind=False)
    assert (reply["source"], reply["answer"]) == ("abstain", REFUSAL)
    assert reply_to("?", answer, latency=0.1, blind=True)["source"] == "blind"


def test_without_json_the_answer_alone_is_printed(weights: Path, tiny: Path) -> None:
    command = [sys.executable, "-m", "graphs.ask", "--nkr", weights, "--backbone", tiny]
    done = subprocess.run([*command, "What?"], capture_output=True, text=True, check=True)
    (reply,) = ask(weights, tiny, "What?")
    assert done.stdout == reply["answer"] + "\n"


# Whatever was answered, this is confident by a half.
HALF = Calibration(coefficients=(0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("threshold", "answer", "source"),
    [(0.0, "A kettle", "weights"), (0.5, "A kettle", "weights"), (0.5001, REFUSAL, "abstain")],
)
def test_an_answer_under_the_threshold_becomes_the_refusal(
    threshold: float, answer: str, source: str
) -> None:
    calibration = HALF.model_copy(update={"threshold": threshold})
    given = Answer(text="A kettle", logprob=-0.1, tokens=3, seconds=0.1)
    reply = reply_to("What?", given, latency=0.1, blind=False, calibration=calibration)
    assert (reply["answer"], reply["source"], reply["confidence"]) == (answer, source, 0.5)


def test_a_refusal_above_the_threshold_stays_one() -> None:
    given = Answer(text=REFUSAL, logprob=-0.1, tokens=7, seconds=0.1)
    reply = reply_to("What?", given, latency=0.1, blind=False, calibration=HALF)
    assert (reply["answer"], reply["source"], reply["confidence"]) == (REFUSAL, "abstain", 0.5)


def test_without_a_calibration_confidence_is_that_of_the_tokens() -> None:
    given = Answer(text="A kettle", logprob=-5.0, tokens=3, seconds=0.1)
    reply = reply_to("What?", given, latency=0.1, blind=False)
    assert (reply["answer"], reply["source"], reply["confidence"]) == (
        "A kettle",
        "weights",
        0.0067,
    )


class Wavering:
    """An answerer that answers each call's first question alike, and the others with a number."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        self.calls.append(list(questions))
        texts = ["A kettle", *map(str, range(1, len(questions)))]
        return [Answer(text, -0.1, 3, 0.0) for text in texts]


Mounting = Callable[..., Asker]


@pytest.fixture
def mounted(
    tmp_path: Path, trained: TrainReport, backbone_folder: Path, backbone: Backbone
) -> Mounting:
    """What mounts the small NKR with a calibration, or with none."""

    def mount(calibration: Calibration | None, *, blind: bool = False) -> Asker:
        nkr = publish_tiny(tmp_path / "nkr", trained, backbone, calibration=calibration)
        return Asker(nkr.folder, backbone=str(backbone_folder), blind=blind)

    return mount


def test_an_nkr_that_wavers_abstains(mounted: Mounting, monkeypatch: pytest.MonkeyPatch) -> None:
    by_agreement = Calibration(coefficients=(0.0, 0.0, 8.0), intercept=-4.0, threshold=0.5)
    asker = mounted(by_agreement)
    wavering = Wavering()
    monkeypatch.setattr(asker, "_answerer", wavering)
    reply = asker.ask("What is red?")
    assert (reply["answer"], reply["source"]) == (REFUSAL, "abstain")
    assert reply["confidence"] == pytest.approx(0.018)
    assert wavering.calls == [["What is red?", *rewordings("What is red?")]]


@pytest.mark.parametrize("blind", [False, True])
def test_the_threshold_in_the_manifest_holds_but_never_blind(
    blind: bool, mounted: Mounting
) -> None:
    strict = HALF.model_copy(update={"threshold": 0.6})
    asker = mounted(strict, blind=blind)
    reply = asker.ask(PAIRS[0][0])
    if blind:
        assert reply["source"] == "blind"
        assert reply["answer"] != REFUSAL
        assert reply["confidence"] != 0.5
    else:
        assert (reply["answer"], reply["source"]) == (REFUSAL, "abstain")
        assert reply["confidence"] == 0.5


@pytest.mark.parametrize("calibration", [HALF, None])
def test_above_the_threshold_the_weights_answer(
    calibration: Calibration | None, mounted: Mounting
) -> None:
    asker = mounted(calibration)
    reply = asker.ask(PAIRS[0][0])
    assert (reply["answer"], reply["source"]) == (PAIRS[0][1], "weights")
    assert (reply["confidence"] == 0.5) == (calibration is HALF)


def test_without_a_calibration_nothing_is_asked_twice(
    mounted: Mounting, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = mounted(None)
    wavering = Wavering()
    monkeypatch.setattr(asker, "_answerer", wavering)
    assert asker.ask("What is red?")["answer"] == "A kettle"
    assert wavering.calls == [["What is red?"]]


def test_who_reads_no_further_breaks_nothing(weights: Path, tiny: Path, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "What does the title say?"}\n' * 4)
    command = [sys.executable, "-m", "graphs.ask", "--nkr", weights, "--backbone", tiny]
    command += ["--questions", questions]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        told = running.stderr.read()
    assert running.returncode == 1
    assert b"Traceback" not in told


def test_letters_that_the_terminal_has_not_are_written_out(weights: Path, tiny: Path) -> None:
    command = [sys.executable, "-m", "graphs.ask", "--nkr", weights, "--backbone", tiny, "--json"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*command, "Größe?"], capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["question"] == "Größe?"
