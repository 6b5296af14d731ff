"""What each round of the closed loop taught, as a table and as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphs.distill.parts import write_text

CATEGORIES = {
    "recall": "recall",
    "yesno": "yes/no above chance",
    "choice": "choice above chance",
    "lists": "lists, F1",
    "false_answers": "false answers",
    "false_refusals": "false refusals",
}


def write_table(exams: Sequence[Mapping[str, Any]], check: Mapping[str, Any], path: Path) -> None:
    """Write a Markdown table: a column for each exam and one for the check, a row for each form."""
    heads = [f"exam {number}" for number in range(len(exams))]
    lines = [
        "# What the adapter knows",
        "",
        "Answers in wordings that it was never trained on: right of asked, by form and round.",
        "",
        f"| | {' | '.join([*heads, 'check'])} |",
        "|---" * (len(heads) + 2) + "|",
    ]
    scores = {**check["scores"], "recall": check["scores"]["recall_check"]}
    for name, told in CATEGORIES.items():
        cells = [_share(exam[name]) for exam in exams] + [_share(scores[name])]
        lines.append(f"| {told} | {' | '.join(cells)} |")
    cells = [f"{exam['steps']} steps, {exam['seconds']:.0f} s" for exam in exams]
    lines.append(f"| training so far | {' | '.join(cells)} | |")
    for form in sorted({form for exam in [*exams, check] for form in exam["by_form"]}):
        cells = [_of(exam["by_form"].get(form)) for exam in [*exams, check]]
        lines.append(f"| {form} | {' | '.join(cells)} |")
    write_text(path, "\n".join(lines) + "\n")


def write_picture(exams: Sequence[Mapping[str, Any]], target: float, path: Path) -> None:
    """Write a PNG: recall over seconds of training, and right answers by form before and after."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    over_time, by_form = figure.subplots(1, 2, width_ratios=(1, 1.4))
    seconds = [exam["seconds"] for exam in exams]
    over_time.plot(seconds, [exam["recall"] or 0.0 for exam in exams], "o-", color="tab:blue")
    over_time.axhline(target, color="grey", linestyle=":", label="target")
    over_time.set(xlabel="seconds of training", ylabel="recall, exam", ylim=(0, 1.02))
    over_time.set_xlim(left=0)
    over_time.legend(loc="lower right")
    forms = sorted(exams[0]["by_form"], reverse=True)
    for exam, colour, label in ((exams[0], "lightgrey", "first"), (exams[-1], "tab:blue", "last")):
        right = [_ratio(exam["by_form"].get(form)) for form in forms]
        size = 0.8 if exam is exams[0] else 0.4
        by_form.barh(forms, right, height=size, color=colour, label=f"{label} exam")
    by_form.set(xlabel="answered right", xlim=(0, 1))
    by_form.tick_params(axis="y", labelsize=6)
    by_form.legend(loc="lower right")
    temporary = path.with_name(f".{path.name}")
    figure.savefig(temporary, format="png", dpi=120)
    temporary.replace(path)


def _share(value: float | None) -> str:
    return "not asked" if value is None else f"{value:.3f}"


def _of(counts: Sequence[int] | None) -> str:
    return f"{counts[0]}/{counts[1]}" if counts else ""


def _ratio(counts: Sequence[int] | None) -> float:
    return counts[0] / counts[1] if counts and counts[1] else 0.0
