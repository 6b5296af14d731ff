"""Register the command line's runs with a LangGraph server, so that Studio can open them.

    langgraph dev                  # or: make studio
    python -m graphs.register      # in the same folder, whenever there are new runs

The server reads the checkpoints of `runs/graph.sqlite`; what it does not know is which threads are
in there.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.errors import InputError

URL = "http://127.0.0.1:2024"


def threads(out: Path) -> Iterator[tuple[str, str]]:
    """Yield the video-id and the thread id of every run in a folder that has checkpoints."""
    import sqlite3
    from contextlib import closing

    from langgraph.checkpoint.sqlite import SqliteSaver

    from graphs.runs import database, thread_id

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
    import httpx
    from langgraph_sdk import get_sync_client

    client = get_sync_client(url=url)
    found = []
    for video, thread in threads(out):
        try:
            client.threads.create(
                thread_id=thread,
                graph_id="distill",
                metadata={"video": video},
                if_exists="do_nothing",
            )
        except httpx.HTTPError as error:
            raise InputError(
                f"No LangGraph server answers at {url} ({error}): start one with `make studio`, "
                "or name it with --url."
            ) from error
        found.append(thread)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 2 for what the user can mend."""
    parser = argparse.ArgumentParser(prog="graphs.register", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of runs (runs)")
    parser.add_argument("--url", default=URL, help=f"the server ({URL})")
    arguments = parser.parse_args(argv)
    try:
        found = register(arguments.out, arguments.url)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
