"""The chat in the terminal: a conversation over the router, kept by LangGraph's memory."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from langgraph.checkpoint.sqlite import SqliteSaver
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from graphs.desk import Desk
from graphs.router import build
from graphs.routing.state import Asked, Replied
from tools.errors import InputError
from training.errors import NKRError
from training.prompt import is_text
from training.wording.timeline import clock

HELP = """Ask anything about the videos; follow-ups lean on what was said before.
/videos       the videos that can be asked
/video NAME   talk about this one alone; without a name about all again
/sources      the evidence of the last answer
/why          the way that the last answer took
/new          forget the conversation
/quit         leave (as do Ctrl-C and Ctrl-D)"""
_FROM = {
    "weights": "from memory",
    "evidence": "read in the evidence",
    "rewatch": "seen on looking again",
    "abstain": "not in the video",
    "small_talk": "no question about a video",
}


class Conversation:
    """One conversation, which goes on where it was when it is opened again."""

    def __init__(self, desk: Desk, memory: Path, thread: str, console: Console) -> None:
        self._desk = desk
        self._console = console
        self._video: str | None = None
        self._thread = thread
        try:
            self._database = sqlite3.connect(memory, check_same_thread=False)
            self._saver = SqliteSaver(self._database)
            self._saver.setup()
        except sqlite3.Error as error:
            raise InputError(
                f"The conversation cannot be kept in {memory} ({error}): name another file with "
                "--memory."
            ) from error
        self._graph = build().compile(checkpointer=self._saver)

    @property
    def turns(self) -> int:
        """How many questions were asked so far."""
        return len(self._last().get("turns", []))

    def say(self, line: str) -> bool:
        """Answer a line or do what it commands; return whether the conversation goes on."""
        line = line.strip()
        if not line:
            return True
        command, _, rest = line.partition(" ")
        if command in ("/quit", "/exit"):
            return False
        commands: dict[str, Callable[[str], None]] = {
            "/videos": self._videos,
            "/video": self._choose,
            "/sources": self._sources,
            "/why": self._why,
            "/new": self._new,
            "/help": lambda _: self._console.print(HELP, markup=False),
        }
        if command in commands:
            commands[command](rest.strip())
        elif command.startswith("/"):
            self._console.print(f"There is no {command}. {HELP}", markup=False)
        else:
            self._ask(line)
        return True

    def close(self) -> None:
        """Close the memory."""
        self._database.close()

    def _ask(self, question: str) -> None:
        if not is_text(question):
            self._console.print("[red]The question is not valid UTF-8 text: write it again.[/red]")
            return
        asked: Asked = {"question": question, "video": self._video, "turns": []}
        try:
            with self._console.status("..."):
                found = self._graph.invoke(
                    asked, self._config, context=self._desk.settings, durability="sync"
                )
        except (NKRError, InputError) as error:
            self._console.print(f"[red]{escape(str(error))}[/red]")
            return
        finally:
            self._tidy()
        reply = cast(Replied, found)
        self._console.print(f"[bold]{escape(reply['answer'])}[/bold]")
        parts = [reply["nkr"] or "all videos", _FROM[reply["route"] or "abstain"]]
        if reply["route"] == "weights":
            parts[1] += f" ({min(0.99, reply['confidence']):.0%} sure)"
            if not reply["supported"]:
                parts.append("no evidence supports it")
        parts += [f"{clock(c['start'])}-{clock(c['end'])}" for c in reply["citations"][:1]]
        self._console.print(f"[dim]{escape(' · '.join(parts))}[/dim]")

    def _tidy(self) -> None:
        """Drop the checkpoints before the last: each holds the whole conversation."""
        older = (
            "thread_id = :thread AND checkpoint_id < "
            "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = :thread)"
        )
        with self._saver.cursor() as cursor:
            for table in ("checkpoints", "writes"):
                cursor.execute(
                    f"DELETE FROM {table} WHERE {older}", {"thread": f"chat:{self._thread}"}
                )

    def _videos(self, _: str) -> None:
        table = Table("video", "length", "recall")
        for volume in self._desk.library.volumes().values():
            recall = volume.nkr.manifest.scores.get("recall_check")
            told = "-" if recall is None else f"{recall:.2f}"
            mark = " *" if volume.id == self._video else ""
            table.add_row(escape(volume.id) + mark, clock(volume.seconds), told)
        self._console.print(table)
        for problem in self._desk.library.problems.values():
            self._console.print(f"[red]{escape(problem)}[/red]")

    def _choose(self, name: str) -> None:
        if not name:
            self._video = None
            self._console.print("All videos are asked.")
            return
        known = self._desk.library.volumes()
        found = [name] if name in known else [one for one in known if name in one]
        if len(found) != 1:
            self._console.print(f"There is no one video {escape(name)}: /videos lists them.")
            return
        self._video = found[0]
        self._console.print(f"Only {escape(found[0])} is asked.")

    def _sources(self, _: str) -> None:
        citations = self._last().get("citations") or []
        if not citations:
            self._console.print("The last answer has no sources.")
        for cited in citations:
            span = f"{clock(cited['start'])}-{clock(cited['end'])}"
            self._console.print(f"{span}  {cited['kind']}: {cited['text']}", markup=False)

    def _why(self, _: str) -> None:
        steps = self._last().get("steps")
        if not steps:
            self._console.print("Nothing was asked yet.")
        for step in steps or []:
            self._console.print(f"- {step}", markup=False)

    def _new(self, _: str) -> None:
        self._saver.delete_thread(f"chat:{self._thread}")
        self._console.print("The conversation is forgotten.")

    def _last(self) -> dict[str, Any]:
        return dict(self._graph.get_state(self._config).values)

    @property
    def _config(self) -> Any:
        return {"configurable": {"thread_id": f"chat:{self._thread}"}}
