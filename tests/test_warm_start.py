"""The meta-learned start of adapters: what it is taught, how it moves, and whose it is."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from training import backbone as backbones
from training.corpus import REFUSAL
from training.nkr import WEIGHTS
from training.warm_start import lessons, main, move, share


def adapter(folder: Path, value: float) -> Path:
    folder.mkdir()
    save_file({"a": torch.full((2,), value)}, folder / WEIGHTS)
    (folder / "adapter_config.json").write_text("{}")
    return folder


def test_a_lesson_is_about_one_invented_video_and_has_what_cannot_be_answered() -> None:
    records = lessons(0, 3)
    seen = {record.form.partition("/")[2].partition("_by_")[0] for record in records}
    assert seen >= {"colour", "brightness", "motion"}
    closed = sum(record.category in ("yesno", "choice", "list", "summary") for record in records)
    assert 0 < closed < len(records) / 3
    assert records == lessons(0, 3) != lessons(0, 4)
    assert len({fact for record in records for fact in record.fact_ids}) > 20
    assert {record.category for record in records} >= {"open", "yesno", "choice", "absent"}
    assert all((record.answer == REFUSAL) == (record.kind == "absent") for record in records)
    assert {record.split for record in records} == {"train"}


def test_the_start_moves_a_share_of_the_way_to_the_mean_of_the_ends(tmp_path: Path) -> None:
    ends = [adapter(tmp_path / "one", 1.0), adapter(tmp_path / "two", 3.0)]
    start = tmp_path / "start"
    move(start, ends, 0.25)
    assert load_file(start / WEIGHTS)["a"].tolist() == [2.0, 2.0], "from nothing, all the way"
    move(start, [adapter(tmp_path / "three", 6.0)], 0.25)
    assert load_file(start / WEIGHTS)["a"].tolist() == [3.0, 3.0]
    assert share(0.0) > share(0.5) > share(0.99) > 0


def test_it_is_learnt_in_moves_and_goes_on_from_the_last(tmp_path: Path) -> None:
    flags = ["--steps=2", "--together=1", f"--work={tmp_path / 'work'}", f"--out={tmp_path}/out"]
    assert main(["--videos=1", *flags]) == 0
    first = (tmp_path / "out" / WEIGHTS).read_bytes()
    assert main(["--videos=1", "--resume", *flags]) == 0
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == first, "nothing was left to learn"
    assert main(["--videos=2", "--resume", *flags]) == 0
    assert (tmp_path / "out" / WEIGHTS).read_bytes() != first


def test_nothing_is_touched_that_is_not_its_own(tmp_path: Path) -> None:
    flags = [f"--work={tmp_path}", f"--out={adapter(tmp_path / 'out', 1.0)}"]
    (tmp_path / "thesis.txt").write_text("mine")
    for wrong in ("--videos=0", "--steps=0", "--together=0"):
        with pytest.raises(SystemExit, match="2"):
            main([wrong, *flags])
    assert load_file(tmp_path / "out" / WEIGHTS)["a"].tolist() == [1.0, 1.0]
    assert main(["--videos=1", "--steps=1", "--together=1", *flags]) == 0
    assert (tmp_path / "thesis.txt").is_file()


def test_its_workers_end_however_it_ended() -> None:
    code = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from training.warm_start import end_with_parent
context = get_context("spawn")
with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600).result()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(timeout=60)


def test_a_warm_start_is_of_the_weights_that_it_was_made_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "WARM_START", tmp_path)
    assert backbones.load_backbone().warm_start is None
    (tmp_path / backbones.REVISION).write_text(backbones.weights_hash(backbones.EMBEDDED) + "\n")
    assert backbones.load_backbone().warm_start == tmp_path
    (tmp_path / backbones.REVISION).write_text("of other weights\n")
    assert backbones.load_backbone().warm_start is None
