"""Kills a run at random moments of every stage, lets it go on, and compares what it ends with."""

import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from evals.faults.subject import Outcome, Subject, Tried, made, run, say

_STAGE = re.compile(r"^([a-z ]+): \d+/\d+, ")
# Parts that two branches were working on may be made again.
BRANCHES = 2
# Runs beside each other: more of them make each slower, and blur the moments.
AT_ONCE = 1


@dataclass
class Unbroken:
    """A run that nothing disturbed: what it made, and the moments at which its stages ended."""

    made: dict[str, str]
    marks: list[tuple[str, float]] = field(default_factory=list)


def unbroken(subject: Subject, out: Path) -> Unbroken:
    """Distil the clip without a fault."""
    marks = [("start", 0.0)]
    begun = time.monotonic()
    process = _start(subject, out)
    for line in _lines(process):
        if found := _STAGE.match(line):
            marks.append((found[1], time.monotonic() - begun))
    if process.wait():
        raise RuntimeError("The undisturbed run failed.")
    return Unbroken(made(out), marks)


def kills(subject: Subject, folder: Path, count: int, seed: int) -> Tried:
    """Kill so many runs with SIGKILL, each at a moment of a stage in turn, and let each go on."""
    reference = unbroken(subject, folder / "unbroken")
    rng = random.Random(f"kills-{seed}")
    stages = len(reference.marks) - 1
    moments = [(number % stages, rng.random()) for number in range(count)]

    def one(number: int) -> tuple[str, str]:
        place, share = moments[number]
        (before, begin), (stage, end) = reference.marks[place : place + 2]
        delay = share * (end - begin)
        out = folder / f"killed-{number}"
        shutil.rmtree(out, ignore_errors=True)
        while not _kill(subject, out, place, delay):
            # It had ended: it was faster than the undisturbed run.
            shutil.rmtree(out, ignore_errors=True)
            delay /= 2
        problem = _went_on(subject, out, reference)
        where = f"{number + 1}/{count}: {delay:.2f} s after {before!r}, in {stage!r}"
        say(f"kill {where}: {problem or 'went on'}")
        shutil.rmtree(out, ignore_errors=not problem)
        return stage, f"{where}: {problem}" if problem else ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(one, range(count)))
    killed = Counter(stage for stage, _ in found)
    told = ", ".join(f"{stage} {n}" for stage, n in killed.items())
    lost = [problem for _, problem in found if problem]
    return Tried(f"killed with SIGKILL (while it was to {told})", count, lost)


def two_at_once(subject: Subject, folder: Path) -> Tried:
    """Start a second run of the video beside the first."""
    out = folder / "twice"
    first = _start(subject, out)
    lines = _lines(first)
    for line in lines:
        if _STAGE.match(line):
            break
    second = run(subject.command(out))
    for _ in lines:
        pass
    lost = []
    if not (second.is_told and "Another run" in second.errors):
        lost.append(f"the second run was not told to wait: {second.in_words}")
    if first.wait():
        lost.append("the first run was disturbed")
    return Tried("a second run of the same video at once", 1, lost)


def _start(subject: Subject, out: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        subject.command(out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stderr is not None
    yield from process.stderr


def _kill(subject: Subject, out: Path, place: int, delay: float) -> bool:
    """Kill a run ``delay`` seconds after its stage number ``place``; say whether it still ran."""
    process = _start(subject, out)
    seen = 0
    if place:
        for line in _lines(process):
            seen += bool(_STAGE.match(line))
            if seen == place:
                break
    time.sleep(delay)
    ran = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return ran


def _went_on(subject: Subject, out: Path, reference: Unbroken) -> str:
    """Run the killed command again; return what is wrong with how it ended, if anything."""
    parts = {path: path.stat().st_mtime_ns for path in out.glob("*/*/parts/*.jsonl")}
    outcome: Outcome = run(subject.command(out))
    if outcome.code:
        return outcome.in_words
    again = [path.name for path, at in parts.items() if path.stat().st_mtime_ns != at]
    if len(again) > BRANCHES:
        return f"{len(again)} parts were made again: {again}"
    ended = made(out)
    other = [name for name in reference.made if ended.get(name) != reference.made[name]]
    left = [path.name for path in out.rglob(".*") if path.is_file()]
    if other:
        return f"other than unbroken: {', '.join(other)}"
    return f"left over: {left}" if left else ""
