"""The measure of citations, over a finished run."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from evals.citations import measure
from graphs.desk import Desk, Settings
from graphs.routing.state import Citation
from tools.errors import InputError
from training.corpus import read_corpus

pytest_plugins = ("talks",)


@pytest.fixture(scope="module")
def run_copy(
    finished: dict[str, Any], tiny: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the folder of all runs: its corpora may be taken away."""
    out = tmp_path_factory.mktemp("cited") / "runs"
    shutil.copytree(Path(finished["nkr"]).parents[1], out)
    return out


def _desk(out: Path, tiny: Path) -> Desk:
    return Desk(Settings(nkr_dir=str(out / "nkrs"), backbone=str(tiny)))


def test_right_answers_are_counted_and_those_without_their_span_named(
    run_copy: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = _desk(run_copy, tiny)
    ((name, row),) = measure(desk).items()
    records = read_corpus(run_copy / name / "corpus" / "corpus.jsonl")
    asked = [r for r in records if r.split == "check" and r.category == "open"]
    assert 0 < row["questions"] <= len(asked)
    assert row["cited"] >= 0.9
    elsewhere: list[Citation] = [{"id": "e", "kind": "text", "start": 90, "end": 91, "text": ""}]
    monkeypatch.setattr("evals.citations.citations", lambda found: elsewhere)
    (row,) = measure(desk).values()
    assert row["cited"] == 0
    assert set(row["missed"]) <= {r.question for r in asked}
    desk.close()


def test_a_folder_without_the_runs_is_told(run_copy: Path, tiny: Path) -> None:
    desk = _desk(run_copy, tiny)
    (name,) = desk.library.volumes()
    shutil.rmtree(run_copy / name / "corpus")
    with pytest.raises(InputError, match=f"run of {name}"):
        measure(desk)
    desk.close()
