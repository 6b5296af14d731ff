"""The command lines: what is on stdout, what is on stderr, and which exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from graphs.commands.interrupt import resume_command
from graphs.commands.main import main

pytest_plugins = ("talks",)

SCORES = {"recall_check", "recall_blind", "recall_train", "yesno", "choice", "lists"}


def test_help_and_bad_arguments_need_no_heavy_import() -> None:
    code = """
import sys
from graphs.commands.main import main
for arguments in (["distill", "--help"], ["ask", "--nkr", "x"], ["distill"], []):
    try:
        main(arguments)
    except SystemExit:
        pass
heavy = {"torch", "langgraph", "transformers", "av", "numpy"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["graphs.distill", "graphs.ask"])
def test_the_modules_are_the_commands(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "usage: nkr" in done.stdout


def test_the_resume_command_is_the_command() -> None:
    told = resume_command(["--video", "my talk.mp4", "--resume", "--seed", "1"])
    assert told == f"{sys.executable} -m graphs.distill --video 'my talk.mp4' --seed 1 --resume"


@pytest.fixture(scope="module")
def command(talk: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    out = tmp_path_factory.mktemp("cli")
    arguments = ["--video", str(talk), "--out", str(out), "--backbone", str(tiny)]
    return [
        *arguments,
        "--backbone-name",
        "tiny",
        "--force",
        "--max-steps",
        "3",
        "--max-rounds",
        "0",
    ]


def test_distill_prints_the_path_last_and_progress_on_stderr(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "graphs.distill", *command],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    nkr = Path(done.stdout.splitlines()[-1])
    assert nkr.is_absolute()
    assert (nkr / "nkr.json").is_file()
    for stage in ("find shots", "look and read", "write questions", "train", "publish"):
        assert stage in done.stderr
    for chatter in ("Warning", "Traceback", "telemetry", "Loading weights"):
        assert chatter not in done.stderr


def test_json_is_one_object(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", *command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == ["nkr", "video", "evidence", "corpus", "train", "scores", "seconds"]
    assert set(report["video"]) == {"id", "sha256", "seconds", "width", "height", "codec"}
    assert set(report["evidence"]) == {"shots", "text", "speech"}
    assert set(report["corpus"]) == {
        "facts",
        "descriptions",
        "qa",
        "absent",
        "rejected",
        "check",
    }
    assert set(report["train"]) == {
        "records",
        "exposures",
        "steps",
        "tokens",
        "seconds",
        "tokens_per_second",
    }
    assert set(report["scores"]) >= SCORES
    assert (report["video"]["width"], report["video"]["height"]) == (480, 270)
