"""The server under load, and what the length of a video costs an answer.

    python -m evals.serving --nkr-dir runs/routing/runs/nkrs --json

Clients ask the server for some minutes, each question again and again; every answer is compared
with the one that a quiet server gave of the same video. The length is measured on one NKR whose
evidence is that of a minute, and then of two hours with other words.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

from evals.routing import questions
from graphs.environment import prepare
from tools.evidence import TEXTS, Evidence

CLIENTS, SECONDS = 32, 120
EACH = 4
HOURS = 2
REPEATS = 5


@contextmanager
def server(nkr_dir: Path) -> Iterator[tuple[str, int]]:
    """Run the command; yield its address and process id."""
    command = [sys.executable, "-m", "graphs.serve", f"--nkr-dir={nkr_dir}", "--port=8765"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit(process.wait())
    try:
        yield line.split()[3].rstrip(","), process.pid
    finally:
        process.terminate()
        process.wait()


def asked_of(nkr_dir: Path) -> list[tuple[str, str]]:
    """Return questions of every NKR of a folder whose runs are beside it, by its id."""
    found = []
    for folder in sorted(nkr_dir.iterdir()):
        manifest = json.loads((folder / "nkr.json").read_text(encoding="utf-8"))
        run = nkr_dir.parent / folder.name
        asked = questions(run, manifest["video"]["seconds"])
        found += [(folder.name, record.question) for record in asked[:EACH]]
    return found


def answer(url: str, model: str, question: str) -> str:
    """Ask the server one question; return what it says."""
    body = {"model": model, "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(
        f"{url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as found:
        return json.load(found)["choices"][0]["message"]["content"]


def resident(process: int) -> int:
    """Return the bytes that a process has in memory."""
    text = Path(f"/proc/{process}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def load(nkr_dir: Path, clients: int, seconds: float) -> dict[str, Any]:
    """Return what happened under load."""
    asked = asked_of(nkr_dir)
    with server(nkr_dir) as (url, process):
        quiet = {pair: answer(url, *pair) for pair in asked}
        lock = threading.Lock()
        taken: list[float] = []
        wrong: list[Any] = []
        errors: list[str] = []
        memory = [resident(process)]
        end = time.monotonic() + seconds

        def client(number: int) -> None:
            turn = number
            while time.monotonic() < end:
                pair = asked[turn % len(asked)]
                turn += clients + 1
                began = time.perf_counter()
                try:
                    found = answer(url, *pair)
                except OSError as error:
                    with lock:
                        errors.append(str(error))
                    continue
                with lock:
                    taken.append(time.perf_counter() - began)
                    if found != quiet[pair]:
                        wrong.append({"asked": pair, "quiet": quiet[pair], "now": found})

        threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            time.sleep(min(5.0, seconds / 10))
            memory.append(resident(process))
        for thread in threads:
            thread.join()
        memory.append(resident(process))
    half = len(memory) // 2
    return {
        "clients": clients,
        "seconds": seconds,
        "answers": len(taken),
        "errors": len(errors),
        "other_answers_than_quiet": len(wrong),
        "answers_per_second": len(taken) / seconds,
        "median_seconds": statistics.median(taken),
        "slowest_seconds": max(taken),
        "megabytes_at_first": memory[0] / 1e6,
        "megabytes_halfway": memory[half] / 1e6,
        "megabytes_at_last": memory[-1] / 1e6,
        "examples": wrong[:5],
    }


def prolonged(evidence: Sequence[Evidence], seconds: float) -> list[Evidence]:
    """Return evidence of ``seconds`` repeated to `HOURS`, in each part with other words."""
    found: list[Evidence] = []
    for part in range(ceil(HOURS * 3600 / seconds)):
        for item in evidence:
            told = " ".join(f"{word}{part}" for word in item.value.split())
            update = {
                "id": f"{item.id}-{part}" if part else item.id,
                "start": item.start + part * seconds,
                "end": item.end + part * seconds,
                "value": told if part and item.kind in TEXTS else item.value,
            }
            found.append(item.model_copy(update=update))
    return found


def lengths(nkr: Path) -> dict[str, Any]:
    """Return the seconds of the whole route over a minute's and over two hours' evidence."""
    from graphs.desk import Desk, Settings, open_desk
    from graphs.library import Volume
    from graphs.router import graph
    from tools.embedding import Embedder
    from tools.evidence import searchable
    from training.nkr import publish
    from training.rack import Rack

    settings = Settings(nkr_dir=str(nkr))
    desk: Desk = open_desk(settings)
    assert isinstance(desk.engine, Rack)
    (volume,) = desk.library.volumes().values()
    run = nkr.resolve().parents[1] / nkr.resolve().name
    asked = [record.question for record in questions(run, volume.seconds)]

    def seconds_each(volume: Volume) -> float:
        taken = []
        for _ in range(REPEATS):
            for question in asked:
                began = time.perf_counter()
                graph.invoke({"question": question, "video": volume.id}, context=settings)
                taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    volume.citer  # noqa: B018
    short = seconds_each(volume)
    long = prolonged(volume.evidence, volume.seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.jsonl"
        path.write_text("".join(item.model_dump_json() + "\n" for item in long), encoding="utf-8")
        manifest = volume.nkr.manifest
        made = publish(
            Path(folder) / volume.id,
            adapter=volume.nkr.folder,
            evidence=path,
            embeddings=Embedder().embed([searchable(item) for item in long]),
            backbone=desk.engine.backbone,
            video=manifest.video.model_copy(update={"seconds": HOURS * 3600.0}),
            corpus=manifest.corpus,
            scores=manifest.scores,
            calibration=manifest.calibration,
            seed=manifest.seed,
        )
        desk.library._volumes = {volume.id: Volume(volume.id, made)}
        desk.library.volumes().get(volume.id)
        desk.library._volumes[volume.id].citer  # noqa: B018
        extended = seconds_each(desk.library._volumes[volume.id])
    desk.close()
    return {
        "evidence_of_a_minute": len(volume.evidence),
        "evidence_of_two_hours": len(long),
        "seconds_of_a_minute": short,
        "seconds_of_two_hours": extended,
        "times_longer": extended / short,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--nkr-dir", type=Path, required=True, help="NKRs with their runs beside")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"at once ({CLIENTS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of load ({SECONDS})")
    options = parser.parse_args()
    prepare(offline=True)
    first = sorted(options.nkr_dir.iterdir())[0]
    found = {
        "load": load(options.nkr_dir, options.clients, options.seconds),
        "length": lengths(first),
    }
    print(json.dumps(found, ensure_ascii=False, indent=2 if options.json else None))


if __name__ == "__main__":
    main()
