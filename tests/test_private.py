"""Nothing tells anybody that it runs: no process connects to, or looks up, another machine."""

import subprocess
import sys
from pathlib import Path

from guard import connections

pytest_plugins = ("talks", "guard")


def run(environment: dict[str, str], *command: str, **given: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        **given,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return str(done.stdout)


def test_the_guard_sees_connections(guarded: dict[str, str]) -> None:
    code = (
        "import urllib.request as r\ntry: r.urlopen('http://example.invalid')\nexcept OSError: pass"
    )
    run(guarded, "-c", code)
    assert connections(guarded) == ["socket.getaddrinfo example.invalid"]


def test_no_command_connects(
    guarded: dict[str, str], talk: Path, tiny: Path, tmp_path: Path
) -> None:
    flags = ["--max-steps=2", "--max-rounds=0", "--force", "--trace"]
    nkr = run(
        guarded,
        *("-m", "graphs.distill", f"--video={talk}", f"--out={tmp_path}"),
        *(f"--backbone={tiny}", "--backbone-name=tiny", *flags),
    ).strip()
    question = "What does the title of the video say?"
    run(guarded, "-m", "graphs.ask", f"--nkr={nkr}", f"--backbone={tiny}", question)
    nkrs = ["--nkr-dir", str(tmp_path / "nkrs"), f"--backbone={tiny}"]
    run(guarded, "-m", "graphs.chat", *nkrs, input=f"{question}\n/why\n/quit\n")
    run(guarded, "-m", "graphs.trace", str(tmp_path / Path(nkr).name))
    assert connections(guarded) == []


def test_the_embedded_backbone_asks_no_hub(guarded: dict[str, str]) -> None:
    run(
        guarded,
        "-c",
        "import graphs; from training.backbone import load_backbone as l; l('embedded')",
    )
    assert connections(guarded) == []


def test_libraries_are_quiet_and_what_concerns_the_run_is_told(guarded: dict[str, str]) -> None:
    code = (
        "import logging\nfrom graphs.environment import prepare\nprepare(offline=True)\n"
        "logging.getLogger('transformers.x').warning('of no use')\n"
        "logging.getLogger('training.decoder').warning('answers are slower')\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=guarded, capture_output=True, text=True, timeout=100)
    assert done.stderr == "answers are slower\n"
