"""Registers the command line's runs with a LangGraph server, so that Studio can open them.

The server reads the checkpoints of `runs/graph.sqlite`; what it does not know is which threads are
in there.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph_sdk import get_sync_client

from graphs.distill.runs import database, thread_id
from tools.errors import InputError


def threads(out: Path) -> Iterator[tuple[str, str]]:
    """Yield the video-id and the thread id of every run in a folder that has checkpoints."""
    if not database(out).is_file():
        raise InputError(f"There are no runs in {out}: name their folder with --out.")
    with closing(sqlite3.connect(database(out))) as connection:
        saver = SqliteSaver(connection)
        for folder in sorted(path for path in out.iterdir() if path.is_dir()):
            thread = thread_id(folder.name)
            if saver.get_tuple({"configurable": {"thread_id": thread}}):
                yield folder.name, thread


def register(out: Path, url: str) -> list[str]:
    """Register every run of a folder with the server at ``url``; return their thread ids.

    Raises InputError where no server answers there.
    """
    found = []
    try:
        client = get_sync_client(url=url)
        for video, thread in threads(out):
            client.threads.create(
                thread_id=thread,
                graph_id="distill",
                metadata={"video": video},
                if_exists="do_nothing",
            )
            found.append(thread)
    # ValueError: what answers there is no JSON.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise InputError(
            f"No LangGraph server answers at {url} ({error}): start one with `make studio`, "
            "or name it with --url."
        ) from error
    return found
