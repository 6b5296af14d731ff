"""The chat in the terminal: what it says, what it remembers, how it ends."""

import contextlib
import io
import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from rich.console import Console

from graphs.chatting import Conversation
from graphs.commands.main import main
from graphs.desk import Desk, Settings
from graphs.router import build
from tools.errors import InputError

pytest_plugins = ("tiny_nkr", "tiny_library")

LAMP, HARBOUR = "lamp-11111111", "harbour-22222222"
TABLES = ("checkpoints", "writes")
Say = Callable[[str], str]


@pytest.fixture
def opened(desk: Desk, tmp_path: Path) -> Iterator[Callable[[str], Say]]:
    """Open a conversation by the name of its thread: what is said returns what was printed."""
    conversations = []

    def begin(thread: str) -> Say:
        out = io.StringIO()
        console = Console(file=out, width=120, highlight=False)
        conversation = Conversation(desk, tmp_path / "graph.sqlite", thread, console)
        conversations.append(conversation)

        def say(line: str) -> str:
            out.seek(0)
            out.truncate()
            assert conversation.say(line)
            return out.getvalue()

        return say

    yield begin
    for conversation in conversations:
        conversation.close()


def test_it_answers_with_sources_and_the_way_it_took(opened: Callable[[str], Say]) -> None:
    say = opened("main")
    assert "Nothing was asked" in say("/why")
    assert "no sources" in say("/sources")
    said = say("Which lamp did Lindqvist carry?")
    assert LAMP in said
    said = say(f"/video {LAMP[:4]}")
    assert f"Only {LAMP}" in said
    said = say("What is the title at 00:05?")
    assert said.startswith("The Lamp\n")
    assert "from memory" in said
    assert "00:00-00:10" in said
    assert "title: The Lamp" in say("/sources")
    assert "- answer from the weights" in say("/why")
    table = say("/videos")
    assert f"{LAMP} *" in table
    assert HARBOUR in table


def test_it_remembers_after_a_restart_and_forgets_on_demand(opened: Callable[[str], Say]) -> None:
    say = opened("main")
    say(f"/video {LAMP}")
    say("What is the title at 00:05?")
    say = opened("main")
    assert "title: The Lamp" in say("/sources")
    assert (
        'contextualize: What is shown after "The Lamp"?' in (say("and after that?"), say("/why"))[1]
    )
    other = opened("other")
    assert "Nothing was asked" in other("/why")
    say("/new")
    assert "Nothing was asked" in say("/why")


def test_the_memory_holds_the_last_state_alone(desk: Desk, tmp_path: Path) -> None:
    memory = tmp_path / "graph.sqlite"
    question = "What is the title at 00:05?"
    with closing(sqlite3.connect(memory, check_same_thread=False)) as database:
        # As the chat kept it before: six checkpoints a question, each with all turns.
        older = build().compile(checkpointer=SqliteSaver(database))
        for thread in ("chat:main", "chat:main", "chat:main", "run"):
            config: Any = {"configurable": {"thread_id": thread}}
            given: Any = {"question": question, "video": LAMP, "turns": []}
            older.invoke(given, config, context=desk.settings)
        kept = "SELECT thread_id, count(*) FROM {} GROUP BY thread_id"
        before = {name: dict(database.execute(kept.format(name))) for name in TABLES}
        conversation = Conversation(desk, memory, "main", Console(file=io.StringIO()))
        assert conversation.turns == 3
        for line in (question, "lamp " * 5000, question):
            conversation.say(line)
            found = {name: dict(database.execute(kept.format(name))) for name in TABLES}
            assert found["checkpoints"] == {"chat:main": 1, "run": before["checkpoints"]["run"]}
            assert found["writes"]["run"] == before["writes"]["run"]
            assert found["writes"].get("chat:main", 0) <= 2
        assert conversation.turns == 5
        conversation.close()
        again = Conversation(desk, memory, "main", Console(file=io.StringIO()))
        assert again.turns == 5
        again.close()


def test_odd_lines_are_told(opened: Callable[[str], Say]) -> None:
    say = opened("main")
    assert say("") == ""
    assert "There is no /nothing" in say("/nothing")
    assert "/sources" in say("/help")
    assert "no one video" in say("/video nobody")
    assert "All videos" in say("/video")
    assert "too long" in say("lamp " * 5000)
    assert "not valid UTF-8" in say("Who \udcff?")
    assert "[/red]" not in say("[/red] [bold")


def test_a_name_that_is_part_of_another_can_be_chosen(
    library_settings: Settings, opened: Callable[[str], Say], desk: Desk, tmp_path: Path
) -> None:
    desk.library.folder = tmp_path / "nkrs"
    shutil.copytree(library_settings.nkr_dir, desk.library.folder)
    shutil.copytree(desk.library.folder / LAMP, desk.library.folder / f"{LAMP}0")
    assert f"Only {LAMP} is asked" in opened("main")(f"/video {LAMP}")


def test_what_is_no_utf8_is_told(
    library_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Who?\xff\n"), "utf-8"))
    folders = ("--nkr-dir", library_settings.nkr_dir, "--backbone", str(library_settings.backbone))
    memory = Path(library_settings.nkr_dir).parent / "utf8.sqlite"
    assert main(["chat", *folders, "--memory", str(memory)]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_a_memory_that_cannot_be_kept_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no database, but long enough to be taken for one" * 100)
    for path in (tmp_path / "nowhere" / "a.sqlite", tmp_path / "notes"):
        with pytest.raises(InputError, match="--memory"):
            Conversation(desk, path, "main", Console(file=io.StringIO()))


@pytest.mark.parametrize("ends", ["ctrl-c", "ctrl-d", "/quit\n"])
def test_the_command_ends_cleanly(library_settings: Settings, tmp_path: Path, ends: str) -> None:
    """In a real terminal, asked once."""
    main, side = pty.openpty()
    command = [sys.executable, "-m", "graphs.chat", "--nkr-dir", library_settings.nkr_dir]
    command += [
        "--backbone",
        str(library_settings.backbone),
        "--memory",
        str(tmp_path / "chat.sqlite"),
    ]
    process = subprocess.Popen(
        command,
        stdin=side,
        stdout=side,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Tests in the background of a script are deaf to it, and so would be their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(side)
    told = b""

    def read_until(text: bytes) -> None:
        nonlocal told
        end = time.monotonic() + 120
        while text not in told:
            assert time.monotonic() < end, told
            told += os.read(main, 4096)

    read_until(b"/help tells")
    os.write(main, b"Which lamp did Lindqvist carry?\n")
    read_until(LAMP.encode())
    told = told.split(LAMP.encode())[-1]
    read_until(b"> ")
    if ends == "ctrl-c":
        process.send_signal(signal.SIGINT)
        # Between its prompt and its wait for the terminal, Python sees a signal with the next key.
        os.write(main, b"\n")
    else:
        os.write(main, b"\x04" if ends == "ctrl-d" else ends.encode())
    end = time.monotonic() + 60
    while process.poll() is None:
        assert time.monotonic() < end
        # A terminal that nobody reads would stop the program.
        if select.select([main], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                os.read(main, 4096)
    assert process.returncode == 0
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    os.close(main)
