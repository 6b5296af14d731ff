"""What NKRs know, know that they do not know, and forget: the figures of the project in one table.

    python -m evals.knowledge                 # quick: the sample clip and nasa.mp4, seed 0
    python -m evals.knowledge --full --json   # all footage, ten generated clips, three seeds

Every video is distilled by the command, and every figure is through the weights alone, with the
calibrated threshold. What is done is kept in ``--out`` and not done again.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals import apart, commands, generated_clips, sample_clip
from evals.smoke import FOOTAGE
from graphs.distill.parts import write_text
from training.answerer import Answerer
from training.calibration import Calibration, ask_again, auroc, expected_calibration_error
from training.corpus import Record, read_corpus
from training.nkr import MANIFEST
from training.scoring import is_refusal, is_right

QUICK, FULL = ("nasa.mp4",), ("nasa.mp4", "persons.mp4", "echo.webm")
SEEDS = (0, 1, 2)
AT_LEAST = {
    "recall_check": 0.97,
    "recall_apart": 0.85,
    "recall_spoken_apart": 0.80,
    "recall_hops": 0.75,
    "auroc": 0.90,
}
AT_MOST = {
    "false_answers": 0.05,
    "false_refusals": 0.03,
    "swap_over_blind": 0.03,
    "probe_accuracy_lost": 0.02,
    "calibration_error": 0.05,
    "seconds_per_fact": 1.0,
}


@dataclass(frozen=True)
class Asked:
    """One question with what the NKR said: its answer, and the confidence in it."""

    record: Record
    answer: str
    confidence: float
    told: bool
    """Whether the answer was given: not where the confidence lies below the threshold."""

    @property
    def right(self) -> bool:
        """Whether what was told is right; keeping silent is right where there is nothing."""
        if self.told:
            return is_right(self.record, self.answer)
        return self.record.category == "absent"


def measure(video: Path, seed: int, out: Path) -> dict[str, Any]:
    """Distil a video, ask its NKR everything, and return the counts and figures."""
    from agents.team import Plan
    from training.wording.timeline import Timeline

    # What an adapter spoils is measured here, not kept from being measured.
    report = commands.distill(video, out / f"runs-{seed}", seed, "--force")
    nkr = Path(report["nkr"])
    made = hashlib.sha256((nkr / MANIFEST).read_bytes()).hexdigest()
    kept = out / f"{report['video']['id']}-{seed}.json"
    if kept.exists() and (found := json.loads(kept.read_text()))["made"] == made:
        return found
    run = nkr.parents[1] / nkr.name
    plan = Plan.model_validate_json((run / "corpus" / "plan.json").read_text(encoding="utf-8"))
    timeline = Timeline.of(plan.facts, plan.spans, report["video"]["seconds"])
    check = [r for r in read_corpus(run / "corpus" / "corpus.jsonl") if r.split == "check"]
    questions = {
        "check": [r for r in check if r.category in ("open", "absent")],
        "apart": apart.facts_asked(timeline, seed),
        "spoken_apart": apart.spoken_asked(timeline, seed),
        "hops_apart": apart.hops_asked(timeline, seed),
        "absent_apart": apart.absent_asked(timeline, seed),
    }
    known = mounted(nkr)
    asked = {name: list(ask(*known, records)) for name, records in questions.items()}
    full = json.loads((run / "report.json").read_text(encoding="utf-8"))
    result = {
        "nkr": report["nkr"],
        "made": made,
        "video": video.name,
        "seed": seed,
        "facts": report["corpus"]["facts"],
        "training_seconds": report["train"]["seconds"],
        "seconds": sum(report["seconds"].values()),
        "exams": [exam["recall"] for exam in full["exams"]],
        "forgetting": full["forgetting"],
        "blind": report["scores"]["recall_blind"],
        "asked": {
            name: [
                {
                    "form": one.record.form,
                    "question": one.record.question,
                    "expected": one.record.answer,
                    "answer": one.answer,
                    "confidence": one.confidence,
                    "told": one.told,
                    "right": one.right,
                    "answer_right": is_right(one.record, one.answer),
                }
                for one in found
            ]
            for name, found in asked.items()
        },
    }
    write_text(kept, json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    return result


def mounted(nkr: Path) -> tuple[Answerer, Calibration]:
    """Return an NKR mounted on the embedded backbone, with its calibration."""
    from graphs.distill.resources import load_backbone
    from training.mount import mount
    from training.nkr import read_nkr

    opened = read_nkr(nkr, weights_only=True)
    calibration = opened.manifest.calibration or Calibration()
    return mount(load_backbone("embedded", None), opened), calibration


def ask(answerer: Answerer, calibration: Calibration, records: Sequence[Record]) -> Iterator[Asked]:
    """Ask an NKR through its weights, with its calibration, as `--route weights` does."""
    doubted = ask_again(answerer, [record.question for record in records])
    for record, found in zip(records, doubted, strict=True):
        confidence = calibration.confidence(found.answer, found.agreement)
        told = confidence >= calibration.threshold and not is_refusal(found.answer.text)
        yield Asked(record, found.answer.text, confidence, told)


def swapped(results: Sequence[dict[str, Any]]) -> list[float]:
    """Return what each video's check split gains over blind from the next video's NKR."""
    gains = []
    for here, there in zip(results, [*results[1:], results[0]], strict=True):
        if here["video"] == there["video"]:
            continue
        run = Path(here["nkr"]).parents[1] / Path(here["nkr"]).name
        corpus = read_corpus(run / "corpus" / "corpus.jsonl")
        check = [r for r in corpus if r.split == "check" and r.category == "open"]
        asked = list(ask(*mounted(Path(there["nkr"])), check))
        gains.append(sum(one.right for one in asked) / len(asked) - (here["blind"] or 0.0))
    return gains


def figures(results: Sequence[dict[str, Any]], gains: Sequence[float]) -> dict[str, Any]:
    """Return the figures over all videos: answers count alike, whichever video they are about."""

    def rows(*names: str) -> list[dict[str, Any]]:
        return [row for result in results for name in names for row in result["asked"][name]]

    def share(found: Sequence[dict[str, Any]], key: str = "right") -> float | None:
        return sum(row[key] for row in found) / len(found) if found else None

    def form(row: dict[str, Any]) -> str:
        return row["form"].partition("/")[2]

    everything = rows("check", "apart", "spoken_apart", "hops_apart", "absent_apart")
    answerable = [row for row in everything if not row["form"].startswith("absent/")]
    absent = [row for row in everything if row["form"].startswith("absent/")]
    check = [row for row in rows("check") if not row["form"].startswith("absent/")]
    confidences = [row["confidence"] for row in everything]
    right = [row["answer_right"] for row in everything]
    return {
        "recall_check": share(check),
        "recall_apart": share(rows("apart")),
        "recall_spoken_apart": share(rows("spoken_apart")),
        "recall_hops": share([row for row in check if form(row) in apart.HOPS]),
        "recall_hops_apart": share(rows("hops_apart")),
        "false_answers": share(absent, "told"),
        "false_refusals": 1 - (share(answerable, "told") or 0.0),
        "swap_over_blind": max(gains) if gains else None,
        "probe_accuracy_lost": max(r["forgetting"]["accuracy_lost"] for r in results),
        "probe_right_blind": min(r["forgetting"]["right_blind"] for r in results),
        "probe_kl": max(r["forgetting"]["kl"] for r in results),
        "calibration_error": expected_calibration_error(confidences, right),
        "auroc": auroc(confidences, right),
        "seconds_per_fact": sum(r["training_seconds"] for r in results)
        / sum(r["facts"] for r in results),
    }


def print_table(found: dict[str, Any], results: Sequence[dict[str, Any]]) -> None:
    """Print the figures beside what they must reach, and a row for each video."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "measured", "must reach")
    for name, value in found.items():
        aim = f">= {AT_LEAST[name]}" if name in AT_LEAST else ""
        aim = f"<= {AT_MOST[name]}" if name in AT_MOST else aim
        table.add_row(name, "not asked" if value is None else f"{value:.3f}", aim)
    videos = Table("video", "seed", "facts", "minutes", "recall in each exam")
    for result in results:
        exams = " ".join("-" if recall is None else f"{recall:.3f}" for recall in result["exams"])
        minutes = f"{result['seconds'] / 60:.1f}"
        row = (result["video"], result["seed"], result["facts"], minutes, exams)
        videos.add_row(*map(str, row))
    Console().print(table, videos)


def main() -> None:
    """Measure the videos and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="all footage, clips and seeds")
    parser.add_argument("--out", type=Path, default=Path("runs/knowledge"), help="what is kept")
    options = parser.parse_args()
    out = options.out
    sample = out / "sample.mp4"
    videos = [sample if sample.exists() else sample_clip.render(sample)]
    names = FULL if options.full else QUICK
    videos += [FOOTAGE / name for name in names if (FOOTAGE / name).exists()]
    if options.full:
        videos += generated_clips.render_all(out)
    seeds = SEEDS if options.full else SEEDS[:1]
    try:
        by_seed = [[measure(video, seed, out) for video in videos] for seed in seeds]
        gains = [gain for results in by_seed for gain in swapped(results)]
    except KeyboardInterrupt:
        sys.exit(commands.INTERRUPTED)
    except commands.CommandFailed as error:
        sys.exit(error.code)
    results = [result for found in by_seed for result in found]
    found = figures(results, gains)
    if options.json:
        told = [{k: v for k, v in result.items() if k != "asked"} for result in results]
        print(json.dumps({"figures": found, "videos": told}, ensure_ascii=False, indent=2))
    else:
        print_table(found, results)


if __name__ == "__main__":
    main()
