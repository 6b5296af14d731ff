"""The table of what was tried and what survived, as Markdown."""

import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from evals.faults.subject import STEPS, Tried

HEAD = """# What survives when things go wrong

Made by `python -m evals.faults --json --report docs/reliability.md` on {date} ({machine}).

Tried on a clip of five seconds and a small random backbone that is trained for {steps} steps, a
round of learning anew included, through the real command line. Killed runs are started again by
the same command: they must end with the same corpora, evidence and adapter, byte for byte, as a
run that nothing disturbed, leave nothing half written, and make at most two parts again (those
that its two branches were at). Damaged folders must be told in one sentence with exit code 2, or
be rebuilt to the same bytes. Videos must be read, or refused in one sentence. Too little memory
and full disks must be told, and the same command end with the same bytes once there is enough.

| what | tried | survived | lost |
|---|---|---|---|
"""


def write_report(rows: Sequence[Tried], path: Path) -> None:
    """Write the table, and below it what was lost, word for word."""
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    text = HEAD.format(date=date.today().isoformat(), machine=machine, steps=STEPS)
    for row in rows:
        text += f"| {row.fault} | {row.tried} | {row.survived} | {len(row.lost)} |\n"
    lost = [f"- {row.fault.partition(' (')[0]}: {one}" for row in rows for one in row.lost]
    if lost:
        text += "\n## Lost\n" + "\n".join(" ".join(one.split()) for one in lost) + "\n"
    path.write_text(text, encoding="utf-8")
