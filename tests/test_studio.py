"""LangGraph's server runs the graphs as the command line does, and opens the command line's runs.

No key, no network: the server is started as `make studio` starts it, and asked with its own client.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from guard import connections
from langgraph_sdk import get_sync_client
from tiny_nkr import PAIRS

from graphs.commands.main import main
from graphs.desk import Settings
from graphs.distill.alone import only_run
from graphs.distill.context import Context
from graphs.distill.launch import distill
from graphs.distill.runs import RunFolder, thread_id, video_id
from tools.video import open_video

pytest_plugins = ("talks", "guard", "tiny_nkr", "tiny_library")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def studio(
    guarded: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the folder that it was started in."""
    folder = tmp_path_factory.mktemp("studio")
    shutil.copy(ROOT / "langgraph.json", folder)
    for name in ("agents", "graphs", "tools", "training"):
        (folder / name).symlink_to(ROOT / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).parent / "langgraph"), "dev", "--port", str(port)]
    command += ["--no-browser", "--no-reload", "--allow-blocking"]
    quiet = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true"}
    for name, value in quiet.items():
        assert f"{name}={value}" in (ROOT / "Makefile").read_text()
    environment = {**guarded, **quiet}
    log = folder / "log"
    with log.open("w") as file:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(240):
            assert server.poll() is None, log.read_text()[-3000:]
            try:
                if httpx.get(f"{url}/ok").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.5)
        else:
            pytest.fail(log.read_text()[-3000:])
        yield url, folder
    finally:
        server.terminate()
        server.wait(30)


def given(context: Context) -> dict[str, Any]:
    return {name: value for name, value in asdict(context).items() if name != "started"}


def begun(run: Path) -> tuple[dict[str, Any], int]:
    """What a run was to do, and its steps until the first exam."""
    report = json.loads((run / "report.json").read_text())
    return report["settings"], report["exams"][0]["steps"]


def test_every_setting_is_described(studio: tuple[str, Path]) -> None:
    client = get_sync_client(url=studio[0])
    assistants = {one["graph_id"]: one["assistant_id"] for one in client.assistants.search()}
    assert set(assistants) == {"distill", "router", "chat"}
    for name, schema in {"distill": Context, "router": Settings, "chat": Settings}.items():
        shown = client.assistants.get_schemas(assistants[name])["context_schema"]["properties"]
        assert set(shown) == {one.name for one in fields(schema)}
        assert all(one["description"] for one in shown.values())


def test_a_run_does_the_same_as_the_command_line(
    studio: tuple[str, Path],
    talk: Path,
    settings: Callable[..., Context],
    finished: dict[str, Any],
) -> None:
    url, folder = studio
    client = get_sync_client(url=url)
    thread = client.threads.create()["thread_id"]
    context = given(settings(folder / "runs", approve=("plan",)))
    video = {"video_path": str(talk)}
    state = client.runs.wait(thread, "distill", input=video, context=context)
    assert state["__interrupt__"][0]["value"]["approve"] == "plan"
    assert client.threads.get(thread)["status"] == "interrupted"
    state = client.runs.wait(thread, "distill", command={"resume": "yes"}, context=context)
    other = Path(finished["nkr"])
    nkr = folder / "runs" / "nkrs" / other.name
    assert Path(state["nkr"]) == nkr
    for name in ("corpus/corpus.jsonl", "evidence/evidence.jsonl"):
        here = folder / "runs" / nkr.name / name
        assert here.read_bytes() == (other.parents[1] / other.name / name).read_bytes()
    # Not the weights: after other tests their last bits differ in this process, and so does what
    # an exam finds that they do not know.
    assert begun(folder / "runs" / nkr.name) == begun(other.parents[1] / other.name)


def test_what_is_not_approved_is_not_done(
    studio: tuple[str, Path], talk: Path, settings: Callable[..., Context]
) -> None:
    client = get_sync_client(url=studio[0])
    thread = client.threads.create()["thread_id"]
    context = given(settings(studio[1] / "other", approve=("plan",)))
    client.runs.wait(thread, "distill", input={"video_path": str(talk)}, context=context)
    with pytest.raises(Exception, match="not approved"):
        client.runs.wait(thread, "distill", command={"resume": "too short"}, context=context)
    assert not list((studio[1] / "other").glob("*/corpus/corpus.jsonl"))


def test_what_was_changed_since_is_not_approved(
    studio: tuple[str, Path], talk: Path, settings: Callable[..., Context]
) -> None:
    client = get_sync_client(url=studio[0])
    thread = client.threads.create()["thread_id"]
    out = studio[1] / "changed"
    context = given(settings(out, approve=("plan",)))
    state = client.runs.wait(thread, "distill", input={"video_path": str(talk)}, context=context)
    plan = Path(state["__interrupt__"][0]["value"]["file"])
    plan.write_text(plan.read_text(encoding="utf-8").replace("00:", "07:"), encoding="utf-8")
    with pytest.raises(Exception, match="changed or removed since"):
        client.runs.wait(thread, "distill", command={"resume": "yes"}, context=context)
    assert not list(out.glob("*/corpus/corpus.jsonl"))


def test_one_video_is_distilled_once_at_a_time(
    studio: tuple[str, Path], talk: Path, settings: Callable[..., Context]
) -> None:
    client = get_sync_client(url=studio[0])
    out = studio[1] / "taken"
    context = given(settings(out, approve=("plan",)))
    video = {"video_path": str(talk)}
    with open_video(talk) as reader:
        run = RunFolder(out.resolve() / video_id(talk, reader.info.sha256))
    thread = client.threads.create()["thread_id"]
    taken = pytest.raises(Exception, match="Another run is distilling this video")
    with only_run(run, "the command line's"), taken:
        client.runs.wait(thread, "distill", input=video, context=context)
    state = client.runs.wait(thread, "distill", input=None, context=context)
    assert state["__interrupt__"][0]["value"]["approve"] == "plan"


def test_a_wrong_setting_is_told(studio: tuple[str, Path], talk: Path) -> None:
    client = get_sync_client(url=studio[0])
    with pytest.raises(Exception, match="max_steps"):
        client.runs.wait(
            None, "distill", input={"video_path": str(talk)}, context={"max_steps": "many"}
        )


def test_a_run_of_the_command_line_can_be_opened(
    studio: tuple[str, Path],
    tmp_path: Path,
    talk: Path,
    settings: Callable[..., Context],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, folder = studio
    copy = tmp_path / "another name.mp4"
    shutil.copy(talk, copy)
    report = distill(copy, settings(folder / "runs", max_steps=1, max_rounds=0))
    thread = thread_id(report["video"]["id"])
    assert main(["register", "--out", str(folder / "runs"), "--url", url]) == 0
    assert thread in capsys.readouterr().out
    client = get_sync_client(url=url)
    state = client.threads.get_state(thread)
    assert state["values"]["nkr"] == report["nkr"]
    assert state["next"] == []
    steps = client.threads.get_history(thread, limit=50)
    assert {"probe", "train"} <= {task["name"] for step in steps for task in step["tasks"]}
    # What it does not know cannot be lost by asking twice.
    assert main(["register", "--out", str(folder / "runs"), "--url", url]) == 0


def test_registering_needs_runs_and_a_server(
    tmp_path: Path, finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["register", "--out", str(tmp_path)]) == 2
    assert "no runs" in capsys.readouterr().err
    out = str(Path(finished["nkr"]).parents[1])
    for url in ("http://127.0.0.1:9", "http://[::1"):
        assert main(["register", "--out", out, "--url", url]) == 2
        assert "No LangGraph server answers" in capsys.readouterr().err


def test_a_conversation(studio: tuple[str, Path], library_settings: Settings) -> None:
    client = get_sync_client(url=studio[0])
    thread = client.threads.create()["thread_id"]
    context = asdict(library_settings)
    question, answer = PAIRS[0]
    for number in (1, 2):
        message = {"role": "user", "content": f"In lamp.mp4: {question}"}
        state = client.runs.wait(thread, "chat", input={"messages": [message]}, context=context)
        assert len(state["messages"]) == 2 * number
        assert state["messages"][-1]["type"] == "ai"
        assert state["messages"][-1]["additional_kwargs"]["route"]
        assert len(state["turns"]) == number
    asked = {"question": question, "video": "lamp-11111111"}
    assert client.runs.wait(None, "router", input=asked, context=context)["answer"] == answer
    with pytest.raises(Exception, match="no question"):
        client.runs.wait(None, "chat", input={"messages": []}, context=context)


def test_nothing_left_the_machine(studio: tuple[str, Path], guarded: dict[str, str]) -> None:
    """After all that the tests above had the server do."""
    assert httpx.get(f"{studio[0]}/ok").status_code == 200
    assert connections(guarded) == []
