"""A run stops where a human asked to look first, and goes on when it is approved."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graphs.distill.context import Context
from graphs.distill.launch import Waiting, distill
from tools.errors import InputError

pytest_plugins = ("talks",)


def test_the_plan_is_shown_and_approved(
    talk: Path, settings: Callable[..., Context], finished: dict[str, object], tmp_path: Path
) -> None:
    chosen = settings(tmp_path, approve=("plan", "corpus"))
    with pytest.raises(Waiting) as first:
        distill(talk, chosen)
    asked = first.value.asked
    assert asked["approve"] == "plan"
    assert len(json.loads(Path(asked["file"]).read_text())["spans"]) == 3
    assert "3 spans" in asked["shows"][0]
    assert asked["shows"][1].startswith("the whole video: ")
    assert len(asked["shows"]) == 5
    assert not list(tmp_path.glob("*/corpus/corpus.jsonl"))
    # Without an approval it waits on.
    with pytest.raises(Waiting):
        distill(talk, chosen)
    with pytest.raises(Waiting) as second:
        distill(talk, chosen, resume=True)
    asked = second.value.asked
    assert asked["approve"] == "corpus"
    records = [line for line in asked["shows"] if " | " in line]
    # As many as can be read, and from the last slide as well as from the first.
    assert 100 < len(records) <= 400
    assert "the others stand in" in asked["shows"][-1]
    assert not list(tmp_path.glob("nkrs/*"))
    report = distill(talk, chosen, resume=True)
    assert Path(str(report["nkr"])).is_dir()
    assert report["corpus"] == finished["corpus"]


def test_nothing_waits_in_a_folder_without_a_run(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no run of talk"):
        distill(talk, settings(tmp_path, approve=("plan",)), resume=True)


def test_the_command_line_says_how_to_approve_and_goes_on_without(
    talk: Path, tiny: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "graphs.distill", "--video", str(talk)]
    command += ["--out", str(tmp_path), "--backbone", str(tiny), "--backbone-name", "tiny"]
    command += ["--max-steps", "2", "--max-rounds", "0", "--force", "--approve", "plan"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert (done.returncode, done.stdout) == (3, "")
    assert "waits for your approval" in done.stderr
    assert "--approve plan --resume" in done.stderr
    # The option left out, nothing is waited for.
    done = subprocess.run(
        command[:-2], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_dir()
