"""Damages each file of an NKR and of a run: that must be told, or mended."""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evals.faults.subject import Outcome, Subject, Tried, made, run, say
from graphs.commands.exits import WAITING

Damage = Callable[[Path], object]

QUESTION = "What does the title of the video say?"


def damages(seed: int) -> dict[str, Damage]:
    """Return the ways to damage a file."""
    rng = random.Random(f"damage-{seed}")

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(data))

    return {
        "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        "emptied": lambda path: path.write_bytes(b""),
        "removed": lambda path: path.unlink(),
        "flipped": flip,
    }


def damaged_nkrs(subject: Subject, out: Path, folder: Path, seed: int) -> Tried:
    """Ask an NKR with each of its files damaged in each way.

    The damage must be told with exit code 2, or the answer must be the same as before.
    """
    (nkr,) = (out / "nkrs").iterdir()
    expected = _answer(_ask(subject, nkr))
    lost, tried, told = [], 0, 0
    for name in sorted(path.name for path in nkr.iterdir()):
        for way, damage in damages(seed).items():
            copy = folder / "nkr"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(nkr, copy)
            damage(copy / name)
            outcome = _ask(subject, copy)
            tried += 1
            told += outcome.is_told
            same = outcome.code == 0 and _answer(outcome) == expected
            if not (outcome.is_told or same):
                lost.append(f"{name} {way}: {outcome.in_words} {outcome.output[:80]}")
            say(f"NKR, {name} {way}: {'same answer' if same else outcome.in_words}")
    return Tried(f"a file of an NKR damaged (told {told} times, else the same answer)", tried, lost)


def damaged_runs(subject: Subject, folder: Path, seed: int) -> list[Tried]:
    """Run the command again over a run with files of each kind damaged.

    One run has ended and its NKR is gone, so that all that is left has to be used again; the other
    waits before its training, where each kind is damaged in one way, in turn. The command must tell
    the damage with exit code 2, or end with what an undisturbed run ends with.
    """
    return [
        _damaged_run(subject, folder, seed, "ended", ()),
        _damaged_run(subject, folder, seed, "waits to be trained", ("--approve=corpus",)),
    ]


def _damaged_run(
    subject: Subject, folder: Path, seed: int, name: str, flags: Sequence[str]
) -> Tried:
    # Where it was made: a run knows its files by their paths.
    out, kept = folder / "damaged", folder / "kept"
    for path in (out, kept):
        shutil.rmtree(path, ignore_errors=True)
    run(subject.command(out, *flags))
    shutil.copytree(out, kept)
    expected = _undisturbed(subject, out, flags) if flags else made(out)
    lost, tried, told = [], 0, 0
    for path, way, damage in _each(kept, seed, in_turn=bool(flags)):
        shutil.rmtree(out)
        shutil.copytree(kept, out)
        damage(out / path)
        outcome = _again(subject, out, flags)
        ended = made(out)
        other = [name for name in expected if ended.get(name) != expected[name]]
        rebuilt = outcome.code == 0 and ended == expected
        tried += 1
        told += outcome.is_told
        how = "rebuilt" if rebuilt else f"{outcome.in_words} {other}"
        if not (outcome.is_told or rebuilt):
            lost.append(f"{path} {way}: {how}")
        say(f"run that {name}, {path} {way}: {how}")
    return Tried(
        f"a file of a run that {name} damaged (told {told} times, else rebuilt)", tried, lost
    )


def _each(kept: Path, seed: int, in_turn: bool) -> Iterator[tuple[Path, str, Damage]]:
    """Yield each kind of file with each way to damage it, or with the next way in turn."""
    ways = list(damages(seed).items())
    for number, path in enumerate(_kinds(kept)):
        for way, damage in [ways[number % len(ways)]] if in_turn else ways:
            yield path, way, damage


def _again(subject: Subject, out: Path, flags: Sequence[str]) -> Outcome:
    """Give the command again, without the NKR, and let it end."""
    shutil.rmtree(out / "nkrs", ignore_errors=True)
    outcome = run(subject.command(out, *flags))
    if outcome.code == WAITING:
        outcome = run(subject.command(out, *flags, "--resume"))
    return outcome


def _undisturbed(subject: Subject, out: Path, flags: Sequence[str]) -> dict[str, str]:
    run(subject.command(out, *flags, "--resume"))
    return made(out)


def _answer(outcome: Outcome) -> dict[str, object]:
    """Return an answer without the time that it took."""
    found: dict[str, object] = json.loads(outcome.output)
    return {name: value for name, value in found.items() if name != "latency_ms"}


def _ask(subject: Subject, nkr: Path) -> Outcome:
    return run(subject.question(nkr, QUESTION))


def _kinds(out: Path) -> Iterator[Path]:
    """Yield one file of each kind of a run: one part of a stage stands for all its parts."""
    seen = set()
    for path in sorted(out.rglob("*")):
        inside = path.relative_to(out)
        if not path.is_file() or inside.parts[0] == "nkrs":
            continue
        stage = path.name.split("-")[0] if path.parent.name in ("parts", "replies") else path.name
        # The checkpoints of all rounds are alike.
        kind = (inside.parent.name.split("-")[0], stage)
        if kind not in seen and path.suffix not in (".sqlite-shm", ".sqlite-wal"):
            seen.add(kind)
            yield inside
