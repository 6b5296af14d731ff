"""The two commands, run as a user runs them: each in a process of its own."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INTERRUPTED = 130


class CommandFailed(Exception):
    """A command ended with the exit code ``code``; it has said why on stderr."""

    def __init__(self, command: Sequence[str], code: int) -> None:
        super().__init__(f"{' '.join(command)} ended with exit code {code}")
        self.code = code


def distill(video: Path, out: Path, seed: int = 0, *flags: str) -> dict[str, Any]:
    """Distil ``video`` under ``out`` and return the command's JSON; progress goes to stderr.

    Raises `CommandFailed`, and KeyboardInterrupt where Ctrl-C stopped the command.
    """
    command = ["-m", "graphs.distill", f"--video={video}", f"--out={out}", f"--seed={seed}"]
    return json.loads(_stdout([*command, "--json", *flags]))


def ask(nkr: Path, questions: Sequence[str], *flags: str) -> list[dict[str, Any]]:
    """Ask the NKR all questions in one process and return the answer objects in order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.jsonl"
        path.write_text("".join(json.dumps({"question": text}) + "\n" for text in questions))
        command = ["-m", "graphs.ask", f"--nkr={nkr}", f"--questions={path}", "--json", *flags]
        return [json.loads(line) for line in _stdout(command).splitlines()]


def _stdout(command: Sequence[str]) -> str:
    # Ctrl-C reaches the command too; it gets the time to stop well and to say how to go on.
    handler = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, handler)
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode:
        raise CommandFailed(["python", *command], done.returncode)
    return done.stdout
