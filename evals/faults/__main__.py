"""Try everything that can go wrong, and count what survives it.

    python -m evals.faults --json
    python -m evals.faults --only kills --kills 100 --report docs/reliability.md

What is finished is kept in ``--work`` and not tried again: after Ctrl-C the same command goes on.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from evals.faults import damage, disk, kills, memory, zoo
from evals.faults.report import write_report
from evals.faults.subject import Subject, Tried, made, say, write_subject
from graphs.environment import prepare

GROUPS = ("kills", "zoo", "memory", "damage", "limits", "disk")


def groups(
    subject: Subject, work: Path, arguments: argparse.Namespace
) -> dict[str, Callable[[], list[Tried]]]:
    """Return what is tried, by name; the disks where they can be made."""
    seed, videos = arguments.seed, arguments.videos

    def reference() -> Path:
        out = work / "reference"
        if not made(out):
            shutil.rmtree(out, ignore_errors=True)
            kills.unbroken(subject, out)
        return out

    found: dict[str, Callable[[], list[Tried]]] = {
        "kills": lambda: [
            kills.kills(subject, work, arguments.kills, seed),
            kills.two_at_once(subject, work),
        ],
        "zoo": lambda: [
            *zoo.formats(work / "zoo", videos),
            zoo.fuzzed(work / "zoo", arguments.files, seed),
        ],
        "memory": lambda: [memory.three_hours(work / "memory")],
        "damage": lambda: [
            damage.damaged_nkrs(subject, reference(), work, seed),
            *damage.damaged_runs(subject, work, seed),
        ],
        "limits": lambda: [disk.little_memory(subject, work, made(reference()))],
    }
    if disk.may_mount():
        found["disk"] = lambda: [
            disk.full_disks(subject, work, made(reference())),
            disk.read_only(subject, work, made(reference())),
        ]
    return found


def main() -> int:
    """Run the groups that are asked for; return 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="evals.faults", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group alone")
    parser.add_argument("--kills", type=int, default=60, help="runs that are killed (60)")
    parser.add_argument("--files", type=int, default=500, help="files that are damaged (500)")
    parser.add_argument("--videos", type=Path, help="a folder of videos of your own to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="where it works, to go on there later")
    parser.add_argument("--report", type=Path, help="write the table here, as Markdown")
    arguments = parser.parse_args()
    prepare(offline=True)
    work = arguments.work or Path(tempfile.mkdtemp(prefix="faults-"))
    subject = write_subject(work / "subject")
    rows: list[Tried] = []
    for name, tried in groups(subject, work, arguments).items():
        if arguments.only and name not in arguments.only:
            continue
        kept = work / f"{name}.json"
        if not kept.exists():
            say(name)
            found = tried()
            kept.write_text(json.dumps([asdict(row) for row in found], indent=1))
        rows += [Tried(**row) for row in json.loads(kept.read_text())]
    if arguments.report:
        write_report(rows, arguments.report)
    for row in rows:
        told = {**asdict(row), "survived": row.survived}
        print(json.dumps(told) if arguments.json else f"{row.fault}: {row.survived}/{row.tried}")
    return int(any(row.lost for row in rows))


if __name__ == "__main__":
    sys.exit(main())
