"""What LangGraph's server loads (`langgraph.json`): the graphs, and the database of all runs.

Runs that it starts and runs of the command line are kept in the same file, so that either can open
the other's. They are in the folder `runs` of where the server was started.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from graphs.environment import prepare

prepare(offline=False)

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: E402

from graphs import chat_agent, router  # noqa: E402
from graphs.distill.context import Context  # noqa: E402
from graphs.distill.graph import build  # noqa: E402
from graphs.distill.parts import PartCache  # noqa: E402
from graphs.distill.runs import database, open_runs  # noqa: E402

RUNS = open_runs(Path(Context().out))

# The server brings the checkpointer; parts that were made before are used again, as elsewhere.
distill = build().compile(cache=PartCache(path=str(database(RUNS))))
chat = chat_agent.graph
route = router.graph


@asynccontextmanager
async def checkpointer() -> AsyncIterator[AsyncSqliteSaver]:
    """Open the checkpoints of all runs."""
    async with AsyncSqliteSaver.from_conn_string(str(database(RUNS))) as saver:
        yield saver
