"""An environment whose Python notes, and refuses, every connection that leaves the machine."""

import os
from pathlib import Path

import pytest

# Python's own audit events: they are raised below whatever library it is.
GUARD = """
import os, sys
HERE = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}
def guard(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in HERE:
        with open(os.environ["GUARD_LOG"], "a") as log:
            log.write(f"{event} {host}\\n")
        raise OSError("no connection is allowed")
sys.addaudithook(guard)
"""


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose Python notes every connection that leaves the machine."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    # What switches telemetry off must be ours.
    ours = ("DO_NOT_TRACK", "HF_", "MLFLOW_", "LANG", "ANONYMIZED", "TRANSFORMERS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "PYTHONPATH": str(folder),
        "GUARD_LOG": str(folder / "connections"),
        "OMP_NUM_THREADS": "1",
    }


def connections(environment: dict[str, str]) -> list[str]:
    log = Path(environment["GUARD_LOG"])
    found = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return found
