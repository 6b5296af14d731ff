"""A run goes on from where it stopped, and redoes only what a changed setting asks for."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.runtime import RunControl

from graphs.distill.context import Context
from graphs.distill.launch import Waiting, distill
from graphs.distill.progress import Event, Interrupted
from tools.errors import InputError
from training.nkr import read_nkr

pytest_plugins = ("talks",)


class Watch:
    """Counts the events of each stage, and asks the run to stop at one of them."""

    def __init__(self, stop_in: str = "", after: int = 1) -> None:
        self.counts: Counter[str] = Counter()
        self.control = RunControl()
        self._stop = (stop_in, after)

    def __call__(self, event: Event) -> None:
        self.counts[event.get("stage", "warning")] += 1
        if (event.get("stage"), self.counts[event.get("stage", "")]) == self._stop:
            self.control.request_drain("test")


def corpus(report: dict[str, Any]) -> bytes:
    nkr = Path(report["nkr"])
    return (nkr.parents[1] / nkr.name / "corpus" / "corpus.jsonl").read_bytes()


@pytest.mark.parametrize(("stage", "after"), [("perceive", 1), ("describe", 2), ("train", 2)])
def test_a_stopped_run_goes_on(
    stage: str,
    after: int,
    talk: Path,
    settings: Callable[..., Context],
    finished: dict[str, Any],
    tmp_path: Path,
) -> None:
    first, second = Watch(stage, after), Watch()
    with pytest.raises(Interrupted):
        distill(talk, settings(tmp_path, max_concurrency=1), show=first, control=first.control)
    assert not list(tmp_path.glob("nkrs/*"))
    report = distill(talk, settings(tmp_path), resume=True, show=second)
    assert second.counts["probe"] == 0
    assert second.counts["perceive"] <= 3 - min(after, first.counts["perceive"])
    assert corpus(report) == corpus(finished)
    assert report["train"]["steps"] == finished["train"]["steps"]
    assert len(report["exams"]) == len(finished["exams"])


def test_a_link_is_a_video_of_its_own_name_with_its_own_subtitles(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    link = tmp_path / "linked.mp4"
    link.symlink_to(talk)
    said = "1\n00:00:00,500 --> 00:00:03,000\nThe link has words of its own.\n"
    link.with_suffix(".srt").write_text(said)
    chosen = settings(tmp_path / "runs", approve=("plan",))
    with pytest.raises(Waiting):
        distill(link, chosen)
    report = distill(link, chosen, resume=True)
    assert Path(report["nkr"]).name.startswith("linked-")
    assert "words of its own" in (Path(report["nkr"]) / "evidence.jsonl").read_text()
    assert [path.name for path in (tmp_path / "runs").glob("*-*")] == [Path(report["nkr"]).name]
    watch = Watch()
    assert distill(link, chosen, show=watch) == report
    assert not watch.counts


def test_a_finished_run_is_returned_at_once(
    finished: dict[str, Any], talk: Path, settings: Callable[..., Context]
) -> None:
    watch = Watch()
    out = Path(finished["nkr"]).parents[1]
    assert distill(talk, settings(out), show=watch) == finished
    assert distill(talk, settings(out), show=watch, resume=True) == finished
    assert not watch.counts


def test_changed_settings_redo_only_what_depends_on_them(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    first = corpus(distill(talk, settings(tmp_path, max_steps=1, max_rounds=0)))
    watch = Watch()
    longer = distill(talk, settings(tmp_path, max_steps=2, max_rounds=0), show=watch)
    assert longer["train"]["steps"] == 2
    assert corpus(longer) == first
    assert not {"perceive", "listen", "describe", "verify"} & set(watch.counts)
    watch = Watch()
    reseeded = distill(talk, settings(tmp_path, max_steps=1, max_rounds=0, seed=7), show=watch)
    assert corpus(reseeded) != first
    assert "perceive" not in watch.counts
    assert watch.counts["describe"] > 0


def test_new_subtitles_are_heard(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    video = tmp_path / "talk.mp4"
    video.write_bytes(talk.read_bytes())
    silent = distill(video, settings(tmp_path / "runs", max_steps=1, max_rounds=0))
    video.with_suffix(".srt").write_bytes(talk.with_suffix(".srt").read_bytes())
    heard = distill(video, settings(tmp_path / "runs", max_steps=1, max_rounds=0))
    assert (silent["evidence"]["speech"], heard["evidence"]["speech"]) == (0, 2)


def test_a_deleted_run_folder_is_made_again(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    first = distill(talk, settings(tmp_path, max_steps=1, max_rounds=0))
    run = tmp_path / first["video"]["id"]
    shutil.rmtree(run)
    shutil.rmtree(first["nkr"])
    again = distill(talk, settings(tmp_path, max_steps=1, max_rounds=0))
    assert corpus(again)
    assert Path(again["nkr"]).is_dir()


@pytest.mark.parametrize("lost", ["nkrs/{id}/adapter_model.safetensors", "{id}/report.json"])
def test_what_was_damaged_is_distilled_again(
    lost: str, talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    first = distill(talk, settings(out, max_steps=1, max_rounds=0))
    damaged = out / lost.format(id=first["video"]["id"])
    damaged.write_bytes(damaged.read_bytes()[:100])
    again = distill(talk, settings(out, max_steps=1, max_rounds=0))
    assert read_nkr(Path(again["nkr"]), weights_only=False)
    assert again["scores"] == first["scores"]


def test_more_minutes_fill_what_a_stopped_run_left_out(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    watch = Watch("train")
    with pytest.raises(Interrupted):
        distill(
            talk,
            settings(tmp_path, max_minutes=0.001, max_rounds=0),
            show=watch,
            control=watch.control,
        )
    whole = distill(talk, settings(tmp_path, max_rounds=0))
    assert whole["evidence"]["shots"] == 3
    assert not whole["cut_short"]


def test_resume_demands_a_run(talk: Path, settings: Callable[..., Context], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="go on from"):
        distill(talk, settings(tmp_path), resume=True)


def test_one_video_is_distilled_once_at_a_time(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    def again(event: Event) -> None:
        with pytest.raises(InputError, match="Another run"):
            distill(talk, settings(tmp_path))

    distill(talk, settings(tmp_path, max_steps=1, max_rounds=0), show=again)


def test_too_little_time_publishes_what_is_there_and_can_go_on(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    watch = Watch()
    short = distill(talk, settings(tmp_path, max_minutes=0.001, max_rounds=0), show=watch)
    assert short["cut_short"]
    assert short["evidence"]["shots"] == 1
    assert watch.counts["warning"] > 0
    assert (Path(short["nkr"]) / "nkr.json").is_file()
    assert distill(talk, settings(tmp_path, max_minutes=0.001, max_rounds=0)) == short
    whole = distill(talk, settings(tmp_path, max_rounds=0), resume=True)
    assert not whole["cut_short"]
    assert whole["evidence"]["shots"] == 3


@pytest.fixture
def ended(finished: dict[str, Any], tmp_path: Path) -> Iterator[Path]:
    """The folder of the finished run, to be changed at will: it knows its files by their paths."""
    out = Path(finished["nkr"]).parents[1]
    shutil.copytree(out, tmp_path / "kept")
    yield out
    shutil.rmtree(out)
    shutil.move(tmp_path / "kept", out)


def forget(out: Path, checkpoints: int) -> None:
    """Leave of a run what it had before its last checkpoints."""
    with closing(sqlite3.connect(out / "graph.sqlite")) as connection:
        last = "SELECT checkpoint_id FROM checkpoints ORDER BY checkpoint_id DESC LIMIT ?"
        for table in ("writes", "checkpoints"):
            left = f"DELETE FROM {table} WHERE checkpoint_id IN ({last})"
            connection.execute(left, (checkpoints,))
        connection.commit()


@pytest.mark.parametrize("lost", [1, 2, 3, 4, 8])
def test_a_run_killed_between_two_stages_goes_on(
    lost: int, talk: Path, settings: Callable[..., Context], finished: dict[str, Any], ended: Path
) -> None:
    """The results of a stage are stored one by one, its checkpoint after the last of them."""
    expected = corpus(finished)
    if lost > 1:  # else it was published
        shutil.rmtree(ended / "nkrs")
    forget(ended, lost)
    watch = Watch()
    report = distill(talk, settings(ended), resume=True, show=watch)
    assert corpus(report) == expected
    # Four stages before its end the corpus may have been longer: then it begins anew.
    assert watch.counts["probe"] == 0 or lost == 4
    assert Path(report["nkr"]).is_dir()


@pytest.mark.parametrize("forgotten", [0, 3])
@pytest.mark.parametrize(
    "files", ["evidence/parts/perceive-*", "corpus/parts/verify-*", "corpus/plan.json"]
)
def test_what_was_emptied_is_made_again(
    files: str,
    forgotten: int,
    talk: Path,
    settings: Callable[..., Context],
    finished: dict[str, Any],
    ended: Path,
) -> None:
    expected = corpus(finished)
    shutil.rmtree(ended / "nkrs")
    forget(ended, forgotten)
    path = next((ended / finished["video"]["id"]).glob(files))
    path.write_bytes(b"")
    told: list[Event] = []
    assert corpus(distill(talk, settings(ended), show=told.append)) == expected
    assert any("was changed" in event.get("warning", "") for event in told) == bool(forgotten)


def test_a_copied_folder_of_runs_makes_its_own_nkr(
    talk: Path, settings: Callable[..., Context], finished: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "copied"
    shutil.copytree(Path(finished["nkr"]).parents[1], out)
    shutil.rmtree(out / "nkrs")
    report = distill(talk, settings(out))
    assert Path(report["nkr"]).parents[1] == out
    assert corpus(report) == corpus(finished)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_command_can_be_run_again(
    how: signal.Signals, talk: Path, tiny: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "graphs.distill", "--video", str(talk), "--out"]
    command += [str(tmp_path), "--backbone", str(tiny), "--backbone-name", "tiny", "--force"]
    command += ["--max-steps", "3", "--max-rounds", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stderr
        told = ""
        # Sent once the first stage is done, wherever the run is by then.
        for line in running.stderr:
            told += line
            if "look and read" in line:
                running.send_signal(how)
                break
        told += running.stderr.read()
    (run,) = tmp_path.glob("talk-*")
    # As of a process that was killed while it wrote.
    (run / "evidence" / ".listen-00000.jsonl.123").write_text("{")
    if how is signal.SIGINT:
        assert running.returncode == 130
        assert f"{sys.executable} -m graphs.distill --video {talk}" in told
        assert "--resume" in told
    assert "Traceback" not in told
    command += ["--resume"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).is_dir()
    assert not [path for path in run.rglob(".*") if path.is_file()]
