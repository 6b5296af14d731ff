"""Train an adapter in several processes, one a GPU, which work together through accelerate.

    torchrun --nproc_per_node 2 -m training.fit JOB

`fit` does this by itself where the backbone is on a GPU and several are visible. ``JOB`` is a
folder that it wrote; each line that the first process prints is a step, as JSON, and the last the
report.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.backbone import Backbone, load_backbone
from training.corpus import Record, read_corpus, write_corpus
from training.sft import SFTSettings, TrainReport, train

LAST_LINES = 80


def fit(
    backbone: Backbone,
    records: Sequence[Record],
    folder: Path,
    settings: SFTSettings,
    *,
    known: Sequence[Record] = (),
    start: Path | None = None,
    deadline: float | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
    resume: bool = True,
    processes: int | None = None,
) -> TrainReport:
    """Train as `sft.train` does, in one process for each GPU that is visible, or in ``processes``.

    Where they are several this one waits, its backbone off the GPU, and raises RuntimeError, with
    the end of what they printed, where they fail.
    """
    device = backbone.model.device
    if processes is None:
        processes = gpus() if device.type == "cuda" else 1
    if processes == 1:
        return train(
            backbone,
            records,
            folder,
            settings,
            known=known,
            start=start,
            deadline=deadline,
            on_step=on_step,
            resume=resume,
        )
    job = folder / "job"
    shutil.rmtree(job, ignore_errors=True)
    job.mkdir(parents=True)
    write_corpus(job / "records.jsonl", records)
    write_corpus(job / "known.jsonl", known or records)
    told = {
        "backbone": backbone.model.name_or_path,
        "name": backbone.name,
        "device": device.type,
        "settings": asdict(settings),
        "folder": str(folder),
        "start": str(start) if start else None,
        "deadline": deadline,
        "resume": resume,
    }
    (job / "job.json").write_text(json.dumps(told), encoding="utf-8")
    backbone.model.to("cpu")
    try:
        report = _waited(_command(processes, job), on_step)
    finally:
        backbone.model.to(device)
    return TrainReport(**{**report, "adapter": Path(report["adapter"])})


def gpus() -> int:
    """Return how many GPUs are visible."""
    import torch

    return torch.cuda.device_count()


def _command(processes: int, job: Path) -> list[str]:
    # What `accelerate launch` runs, without its questions about a config; it knows GPUs alone.
    launched = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*launched, "--nproc_per_node", str(processes), "-m", "training.fit", str(job)]


def _waited(
    command: list[str], on_step: Callable[[int, int, float], None] | None
) -> dict[str, Any]:
    """Return the report of the processes; they are ended with this one's work, however it ends."""
    root = str(Path(__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONFAULTHANDLER": "1"},
        # Ctrl-C is this process's to answer.
        start_new_session=True,
    )
    assert running.stdout is not None
    report: dict[str, Any] | None = None
    printed: list[str] = []
    try:
        for line in running.stdout:
            try:
                found = json.loads(line)
            except ValueError:
                printed = [*printed, line.rstrip()][-LAST_LINES:]
                continue
            if isinstance(found, list) and on_step:
                on_step(*found)
            elif isinstance(found, dict):
                report = found
        running.wait()
    finally:
        running.terminate()
        running.stdout.close()
        running.wait()
    # The report comes last: processes that stumble when they part have nothing left to lose.
    if report is None:
        raise RuntimeError("training in several processes failed:\n" + "\n".join(printed))
    if running.returncode:
        print(*printed, sep="\n", file=sys.stderr)
    return report


def main(job: Path) -> None:
    """Be one of the processes."""
    first = int(os.environ.get("RANK", "0")) == 0
    told = json.loads((job / "job.json").read_text(encoding="utf-8"))
    import torch

    if told["device"] == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))

    def say(*step: float) -> None:
        if first:
            print(json.dumps(step), flush=True)

    report = train(
        load_backbone(told["backbone"], device=told["device"], backbone_name=told["name"]),
        read_corpus(job / "records.jsonl"),
        Path(told["folder"]),
        SFTSettings(**told["settings"]),
        known=read_corpus(job / "known.jsonl"),
        start=Path(told["start"]) if told["start"] else None,
        deadline=told["deadline"],
        on_step=say,
        resume=told["resume"],
    )
    if first:
        print(json.dumps({**asdict(report), "adapter": str(report.adapter)}), flush=True)
    # One that just exits cuts off the others, which may still be listening to it.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
