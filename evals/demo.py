"""`make demo`: distil the sample clip, then ask three questions with and without the NKR.

python -m evals.demo [--out runs]
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals import commands, sample_clip
from evals.questions import DEMO


def demo(clip: Path, out: Path, console: Console) -> None:
    """Render, distil and ask; ``console`` gets the table and the command to ask more."""
    video = sample_clip.render(clip)
    console.print(f"A sample clip of {sample_clip.SECONDS} s lies in {video}.")
    report = commands.distill(video, out)
    minutes = sum(report["seconds"].values()) / 60
    nkr = Path(report["nkr"])
    questions = [question.text for question in DEMO]
    mounted = commands.ask(nkr, questions, "--route=weights")
    blind = commands.ask(nkr, questions, "--blind")

    table = Table("question", "with the NKR", "without it", "the video shows")
    for question, told, guessed in zip(DEMO, mounted, blind, strict=True):
        table.add_row(question.text, told["answer"], guessed["answer"], question.expected)
    console.print(table)
    megabytes = (nkr / "adapter_model.safetensors").stat().st_size / 1e6
    console.print(
        f"{report['corpus']['facts']} facts in an adapter of {megabytes:.1f} MB, "
        f"after {minutes:.1f} minutes. Ask it yourself:"
    )
    console.print(
        f'.venv/bin/python -m graphs.ask --nkr "{nkr}" "{questions[0]}"',
        soft_wrap=True,
        highlight=False,
    )


def main() -> None:
    """Run the demo; a failed command ends it with that command's exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--clip", type=Path, default=Path("out/sample.mp4"), help="sample clip")
    options = parser.parse_args()
    try:
        demo(options.clip, options.out, Console(markup=False))
    except commands.CommandFailed as failure:
        sys.exit(failure.code)
    except KeyboardInterrupt:
        sys.exit(commands.INTERRUPTED)


if __name__ == "__main__":
    main()
