"""What a user can get wrong is told in one sentence, with exit code 2 and nothing half written."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evals.clips import steady, write_sound, write_video
from graphs.distill.context import Context
from graphs.distill.launch import distill
from graphs.distill.runs import open_runs
from tools.errors import InputError
from tools.video import open_video

pytest_plugins = ("talks",)

FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "videos"
needs_footage = pytest.mark.skipif(not FOOTAGE.is_dir(), reason="../shared/videos is not here")


def run(*arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, **how
    )


def assert_told(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One sentence on stderr, nothing on stdout, exit code 2."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    told = done.stderr.strip().splitlines()[-1]
    assert told.startswith("error: ")
    assert told.endswith(".")
    for word in words:
        assert word in told


@pytest.mark.parametrize("name", ["12:30.mp4", "pipe:0.mp4", "~nobody.mp4"])
def test_a_relative_name_is_no_address_and_no_home(
    talk: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(talk, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with open_video(Path(name)) as reader:
        assert reader.info.path == tmp_path / name
        assert reader.info.seconds == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("name", "words"), [("bad\udcff.mp4", "not valid UTF-8"), ("x" * 300 + ".mp4", "too long")]
)
def test_a_name_that_cannot_be_is_told(talk: Path, name: str, words: str, tmp_path: Path) -> None:
    if len(name) < 255:
        shutil.copy(talk, tmp_path / name)
    with pytest.raises(InputError, match=words):
        open_video(tmp_path / name)
    with pytest.raises(InputError, match=r"UTF-8|cannot be written"):
        open_runs(tmp_path / "runs" / name)
    assert not list(tmp_path.glob("runs/*"))


def test_a_path_with_a_zero_byte_is_none() -> None:
    with pytest.raises(InputError, match="is no path"):
        open_video(Path("talk\0.mp4"))


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def directory(folder: Path) -> Path:
    return folder


def text(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("These are notes, not a video.\n" * 50)
    return path


def picture(folder: Path) -> Path:
    path = folder / "slide.png"
    Image.new("RGB", (64, 64), "red").save(path)
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def sound(folder: Path) -> Path:
    return write_sound(folder / "sound.m4a")


def unordered(folder: Path) -> Path:
    if not FOOTAGE.is_dir():
        pytest.skip("../shared/videos is not here")
    return FOOTAGE / "unordered.mov"


@pytest.mark.parametrize("make", [missing, directory, text, picture, empty, sound, unordered])
def test_what_is_no_video_is_told(make: Callable[[Path], Path], tmp_path: Path) -> None:
    out = tmp_path / "runs"
    video = make(tmp_path)
    assert_told(run("graphs.distill", "--video", video, "--out", out), video.name)
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_told(talk: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("graphs.distill", "--video", talk, "--out", tmp_path / "file" / "runs")
    assert_told(done, "cannot be written", "--out")


def test_a_full_disk_is_told_and_leaves_no_nkr(talk: Path, tiny: Path, tmp_path: Path) -> None:
    def limit() -> None:
        # No file may grow beyond this: the first that would is the first that the disk has no
        # room for. The kernel's signal for it would kill the process before it can say so.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    arguments: list[str | Path] = ["graphs.distill", "--video", talk, "--out", tmp_path]
    arguments += ["--backbone", tiny, "--backbone-name", "tiny", "--force"]
    assert_told(run(*arguments, preexec_fn=limit), "space")
    assert not list(tmp_path.glob("nkrs/*"))
    assert not list(tmp_path.rglob(".*.tmp"))
    done = run(*arguments, "--max-steps", "2", "--max-rounds", "0")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mebibytes", [1500, 4600])
def test_too_little_memory_is_told(mebibytes: int, talk: Path, tiny: Path, tmp_path: Path) -> None:
    """The first is too little for the libraries, the second for the training beside them.

    With some hundred more it may end where a library in Rust aborts, which nothing can tell.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))

    arguments: list[str | Path] = ["graphs.distill", "--video", talk, "--out", tmp_path]
    arguments += ["--backbone", tiny, "--backbone-name", "tiny", "--force", "--max-steps", "2"]
    done = run(*arguments, preexec_fn=limit, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert_told(done, "not enough memory", "go on")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume"], ["--resume", "go on from"]),
        (["--agents", "nobody"], ["--agents"]),
        (["--backbone", "/nowhere/at/all"], ["/nowhere/at/all"]),
        (["--backbone", __file__], ["is a file"]),
        (["--device", "cuda"], ["no CUDA device", "--device cpu"]),
        (["--max-cost", "2", "--price", "1,2"], ["--max-cost", "--agents openai:MODEL"]),
    ],
)
def test_settings_that_cannot_be_are_told(
    arguments: list[str], words: list[str], talk: Path, tmp_path: Path
) -> None:
    assert_told(run("graphs.distill", "--video", talk, "--out", tmp_path, *arguments), *words)
    assert not list(tmp_path.glob("nkrs/*"))


@pytest.mark.parametrize("minutes", ["0", "-1", "many", "nan"])
def test_minutes_must_be_above_zero(minutes: str, talk: Path) -> None:
    done = run("graphs.distill", "--video", talk, "--max-minutes", minutes)
    assert done.returncode == 2
    assert "minutes above zero" in done.stderr


@pytest.mark.parametrize("seed", ["-1", "4294967296", "half"])
def test_a_seed_is_a_whole_number_that_generators_take(seed: str, talk: Path) -> None:
    done = run("graphs.distill", "--video", talk, f"--seed={seed}")
    assert done.returncode == 2
    assert "whole number" in done.stderr


def test_a_file_in_the_place_of_a_run_folder_is_told(
    talk: Path, finished: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / finished["video"]["id"]).write_text("")
    assert_told(run("graphs.distill", "--video", talk, "--out", tmp_path), "cannot be written")


def test_a_damaged_database_is_told(talk: Path, tmp_path: Path) -> None:
    (tmp_path / "graph.sqlite").write_bytes(b"no database" * 1000)
    assert_told(run("graphs.distill", "--video", talk, "--out", tmp_path), "graph.sqlite")


def test_a_damaged_backbone_is_told(talk: Path, tiny: Path, tmp_path: Path) -> None:
    backbone = Path(shutil.copytree(tiny, tmp_path / "backbone"))
    weights = backbone / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    arguments = ["--backbone", backbone, "--backbone-name", "tiny", "--out", tmp_path / "runs"]
    assert_told(run("graphs.distill", "--video", talk, *arguments), "could not be loaded")


def test_a_question_that_is_no_text_is_told(finished: dict[str, Any]) -> None:
    assert_told(run("graphs.ask", "--nkr", finished["nkr"], "What is \udcff?"), "UTF-8")


def copy_nkr(finished: dict[str, Any], folder: Path) -> Path:
    return Path(shutil.copytree(finished["nkr"], folder / "nkr"))


def test_a_damaged_adapter_is_told(finished: dict[str, Any], tiny: Path, tmp_path: Path) -> None:
    nkr = copy_nkr(finished, tmp_path)
    adapter = nkr / "adapter_model.safetensors"
    adapter.write_bytes(adapter.read_bytes()[:-1000])
    done = run("graphs.ask", "--nkr", nkr, "--backbone", tiny, "What is shown?")
    assert_told(done, "adapter_model.safetensors")


def test_an_nkr_for_another_backbone_is_told(finished: dict[str, Any], tmp_path: Path) -> None:
    nkr = copy_nkr(finished, tmp_path)
    assert_told(run("graphs.ask", "--nkr", nkr, "--backbone", "embedded", "What?"), "tiny")


@pytest.mark.parametrize(
    "content", ["no json\n", "{}\n", '{"question": 3}\n', '{"question": " "}\n', "[]\n"]
)
def test_bad_question_files_are_told(
    content: str, finished: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(content)
    done = run("graphs.ask", "--nkr", finished["nkr"], "--questions", path)
    assert_told(done, "Line 1", str(path))


def test_a_folder_that_is_no_nkr_is_told(tmp_path: Path) -> None:
    assert_told(run("graphs.ask", "--nkr", tmp_path, "What is shown?"), str(tmp_path))
    assert_told(run("graphs.ask", "--nkr", "x" * 300, "What is shown?"), "too long")


def test_a_run_in_place_of_its_nkr_is_told(finished: dict[str, Any]) -> None:
    nkr = Path(finished["nkr"])
    run_folder = nkr.parents[1] / nkr.name
    assert_told(run("graphs.ask", "--nkr", run_folder, "What is shown?"), f"{nkr}.")


@pytest.mark.parametrize("question", ["  ", "...", "\U0001f680"])
def test_an_empty_question_is_told(question: str, finished: dict[str, Any]) -> None:
    assert_told(run("graphs.ask", "--nkr", finished["nkr"], question), "empty")


def test_a_video_shorter_than_a_second_is_distilled_with_a_warning(
    settings: Callable[..., Context], tmp_path: Path
) -> None:
    from talks import slide

    image = slide("The Copper Kettle", (200, 30, 30))
    video = write_video(tmp_path / "short.mp4", [image] * 4, steady(4, 5))
    warnings: list[str] = []
    report = distill(
        video,
        settings(tmp_path / "runs", max_steps=1),
        show=lambda event: warnings.append(event.get("warning", "")),
    )
    assert (Path(report["nkr"]) / "nkr.json").is_file()
    assert any("0.80 s" in warning for warning in warnings)


@needs_footage
def test_a_damaged_video_is_distilled_as_far_as_it_can_be_read(tiny: Path, tmp_path: Path) -> None:
    arguments: list[str | Path] = ["graphs.distill", "--video", FOOTAGE / "corrupted.mp4"]
    arguments += ["--out", tmp_path, "--backbone", tiny, "--backbone-name", "tiny", "--force"]
    done = run(
        *arguments,
        "--json",
        "--max-steps",
        "2",
        "--max-rounds",
        "0",
        env={**os.environ, "COLUMNS": "500"},
    )
    assert done.returncode == 0, done.stderr
    assert "warning: " in done.stderr
    assert (Path(json.loads(done.stdout)["nkr"]) / "nkr.json").is_file()
