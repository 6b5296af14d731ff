"""The smoke test: how long a distillation takes on this machine and what its NKR knows.

    python -m evals.smoke            # a table
    python -m evals.smoke --json     # all figures as one JSON object

Distils the sample clip with seed 0 and asks it through its weights alone. Where the folder
``../shared/videos`` lies beside the repository, real footage from it as well. No time fails it:
the exit code is 1 only when a command broke or when an adapter of zeros changed an answer.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals import commands, sample_clip
from evals.questions import NASA, SAMPLE, Question
from training.nkr import CONFIG, MANIFEST, WEIGHTS
from training.scoring import fold

FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "videos"
FOOTAGE_QUESTIONS: dict[str, Sequence[Question]] = {
    "nasa.mp4": NASA,
    "persons.mp4": (),
    "echo.webm": (),
}


def measure(video: Path, out: Path, questions: Sequence[Question]) -> dict[str, Any]:
    """Distil ``video`` and ask ``questions`` of its NKR; return the figures of both."""
    started = time.perf_counter()
    report = commands.distill(video, out)
    figures: dict[str, Any] = {
        "minutes": round((time.perf_counter() - started) / 60, 2),
        "adapter_mb": round((Path(report["nkr"]) / WEIGHTS).stat().st_size / 1e6, 2),
        "recall_check": report["scores"]["recall_check"],
        "recall_blind": report["scores"]["recall_blind"],
        "distill": report,
    }
    if questions:
        figures |= asked(Path(report["nkr"]), questions)
    return figures


def asked(nkr: Path, questions: Sequence[Question]) -> dict[str, Any]:
    """Ask the weights alone, blind, and with every LoRA tensor zero; return answers and times."""
    texts = [question.text for question in questions]
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "weights"
        alone.mkdir()
        for name in (WEIGHTS, CONFIG, MANIFEST):
            shutil.copy(nkr / name, alone / name)
        mounted = commands.ask(alone, texts, "--route=weights")
        blind = commands.ask(alone, texts, "--blind")
        zero_adapter(alone)
        zeroed = commands.ask(alone, texts, "--route=weights")
    latencies = [answer["latency_ms"] for answer in mounted]
    answers = [
        {
            "question": question.text,
            "expected": question.expected,
            "answer": answer["answer"],
            "blind": guess["answer"],
            "right": is_right(question, answer["answer"]),
        }
        for question, answer, guess in zip(questions, mounted, blind, strict=True)
    ]
    return {
        "answers": answers,
        "right": sum(answer["right"] for answer in answers),
        "asked": len(answers),
        "latency_ms_median": statistics.median(latencies),
        "latency_ms_max": max(latencies),
        "zeroed_is_blind": [answer["answer"] for answer in zeroed]
        == [answer["answer"] for answer in blind],
    }


def is_right(question: Question, answer: str) -> bool:
    """Tell whether ``answer`` contains what the video shows; case and punctuation folded."""
    return fold(question.expected) in fold(answer)


def zero_adapter(folder: Path) -> None:
    """Set every tensor of the adapter in ``folder`` to zero."""
    import torch
    from safetensors.torch import load_file, save_file

    path = folder / WEIGHTS
    zeros = {name: torch.zeros_like(value) for name, value in load_file(path).items()}
    save_file(zeros, path, {"format": "pt"})


def run(videos: dict[Path, Sequence[Question]], out: Path) -> dict[str, Any]:
    """Measure every video; one whose command breaks is reported and the next is taken."""
    results: dict[str, Any] = {}
    for video, questions in videos.items():
        print(f"{video.name}:", file=sys.stderr)
        try:
            results[video.name] = measure(video, out, questions)
        except commands.CommandFailed as failure:
            results[video.name] = {"error": str(failure)}
    return {
        "machine": {
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "videos": results,
    }


def passed(figures: dict[str, Any]) -> bool:
    """Tell whether every command ran and no adapter of zeros changed an answer."""
    return all(
        "error" not in video and video.get("zeroed_is_blind", True)
        for video in figures["videos"].values()
    )


def print_tables(figures: dict[str, Any]) -> None:
    """Print the figures for a person: one row a video, then one row an answer."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False)
    speed = Table("video", "minutes", "MB", "facts", "recall", "blind", "right", "ms (max)")
    replies = Table("video", "question", "with the NKR", "without it", "right")
    for name, video in figures["videos"].items():
        if "error" in video:
            console.print(f"{name}: {video['error']}", style="red")
            continue
        values = [video["minutes"], video["adapter_mb"], video["distill"]["corpus"]["facts"]]
        recalls = (video["recall_check"], video["recall_blind"])
        values += ["-" if recall is None else f"{recall:.2f}" for recall in recalls]
        if "answers" in video:
            values += [f"{video['right']} of {video['asked']}"]
            values += [f"{video['latency_ms_median']:.0f} ({video['latency_ms_max']:.0f})"]
        speed.add_row(name, *map(str, values))
        for reply in video.get("answers", ()):
            mark = "yes" if reply["right"] else "no"
            replies.add_row(name, reply["question"], reply["answer"], reply["blind"], mark)
    console.print(speed)
    console.print(replies)


def main() -> None:
    """Measure the sample clip and the footage, or only the video that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--video", type=Path, help="measure this video only; nothing is asked")
    parser.add_argument("--out", type=Path, help="keep the runs here (else they are removed)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # A finished run would be returned at once: its time would be no measurement.
        out = options.out / time.strftime("%Y%m%d-%H%M%S") if options.out else Path(folder)
        videos: dict[Path, Sequence[Question]]
        if options.video:
            videos = {options.video: ()}
        else:
            videos = {sample_clip.render(out / "sample.mp4"): SAMPLE}
            videos |= {
                FOOTAGE / name: questions
                for name, questions in FOOTAGE_QUESTIONS.items()
                if (FOOTAGE / name).exists()
            }
        try:
            figures = run(videos, out)
        except KeyboardInterrupt:
            sys.exit(commands.INTERRUPTED)
    if options.json:
        print(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        print_tables(figures)
    sys.exit(0 if passed(figures) else 1)


if __name__ == "__main__":
    main()
