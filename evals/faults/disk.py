"""Fills the disk, makes it read-only and takes the memory away, and lets the run go on after."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evals.faults.subject import Subject, Tried, made, run, say

# KiB of the disks that a run is tried on: each fills at another moment.
SIZES = (64, 200, 400, 700, 1000, 1400, 2000, 3000)
ENOUGH = "64m"
# MiB of address space: the libraries alone take most of it.
MEMORIES = (1500, 3000, 4500, 6000)


def full_disks(subject: Subject, folder: Path, reference: dict[str, str]) -> Tried:
    """Distil onto small disks; then give them room, and run the same command again."""
    lost, full = [], 0
    for size in SIZES:
        out = folder / f"disk-{size}"
        with mounted(out, f"size={size}k"):
            first = run(subject.command(out / "runs"))
            full += first.code != 0
            if first.code and not (first.is_told and "disk is full" in first.errors):
                lost.append(f"{size} KiB: {first.in_words}")
            remount(out, f"size={ENOUGH}")
            second = run(subject.command(out / "runs"))
            if second.code or made(out / "runs") != reference:
                lost.append(f"{size} KiB, then room: {second.in_words}")
        say(f"disk of {size} KiB: {first.in_words}; then {second.in_words}")
    return Tried(f"a disk that fills (it did {full} times), then room made", len(SIZES), lost)


def read_only(subject: Subject, folder: Path, reference: dict[str, str]) -> Tried:
    """Make the disk read-only after a run was begun and stopped, and writable again."""
    lost = []
    out = folder / "read-only"
    with mounted(out, f"size={ENOUGH}"):
        begun = run(subject.command(out / "runs", "--approve=plan"))
        remount(out, "ro")
        refused = run(subject.command(out / "runs"))
        remount(out, "rw")
        ended = run(subject.command(out / "runs"))
        if begun.code != 3 or not refused.is_told:
            lost.append(refused.in_words)
        if ended.code or made(out / "runs") != reference:
            lost.append(f"writable again: {ended.in_words}")
    say(f"read-only: {refused.in_words}; then {ended.in_words}")
    return Tried("a disk that is read-only, then writable", 1, lost)


def little_memory(subject: Subject, folder: Path, reference: dict[str, str]) -> Tried:
    """Distil with little address space; then without the limit."""
    lost, told = [], 0
    for size in MEMORIES:
        out = folder / f"memory-{size}"
        shutil.rmtree(out, ignore_errors=True)
        limited = ["bash", "-c", f'ulimit -v {size * 1024}; exec "$0" "$@"', *subject.command(out)]
        first = run(limited)
        told += first.is_told
        if first.code and not first.is_told:
            lost.append(f"{size} MiB: {first.in_words}")
        second = run(subject.command(out))
        if second.code or made(out) != reference:
            lost.append(f"{size} MiB, then all: {second.in_words}")
        say(f"memory of {size} MiB: {first.in_words}; then {second.in_words}")
    name = f"too little memory (told {told} of {len(MEMORIES)} times), then enough"
    return Tried(name, len(MEMORIES), lost)


def may_mount() -> bool:
    """Say whether disks can be made here: that takes the rights of root."""
    return os.geteuid() == 0 and os.uname().sysname == "Linux"


@contextmanager
def mounted(place: Path, options: str) -> Iterator[None]:
    """Mount a disk in memory meanwhile."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def remount(place: Path, options: str) -> None:
    """Change a mounted disk's options."""
    command = ["mount", "-o", f"remount,{options}", str(place)]
    subprocess.run(command, check=True, capture_output=True)
