"""Run the distill graph on a video: from the start, from where it stopped, or not at all."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command, StateSnapshot

from graphs.distill.alone import only_run
from graphs.distill.context import Context
from graphs.distill.graph import build
from graphs.distill.nodes.approve import Approval
from graphs.distill.parts import PartCache, are_whole, sweep
from graphs.distill.progress import Event, Interrupted
from graphs.distill.resources import BACKBONE, load_chat_model, load_looks
from graphs.distill.runs import (
    RunFolder,
    database,
    lasting_settings,
    open_runs,
    thread_id,
    video_id,
)
from graphs.distill.state import DistillInput
from graphs.distill.tracing import check_tracing, tracing
from tools.errors import InputError
from tools.video import open_video
from tools.whisper import WhisperModels
from training.errors import NKRError
from training.nkr import read_nkr

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI
    from langgraph.graph.state import CompiledStateGraph

    from agents.language.backbone_chat import BackboneChat


CHANGED = (
    "a file of this run was changed or removed since: it is made again, and what it is part of"
)


LEFT_OUT = "this run left some of the video out: the same command with --resume goes on with it"


class Waiting(Exception):
    """The run waits for a human's approval of ``asked``."""

    def __init__(self, asked: Approval) -> None:
        super().__init__(f"the {asked['approve']} waits for approval")
        self.asked = asked


def distill(
    video: Path,
    context: Context,
    *,
    resume: bool = False,
    show: Callable[[Event], None] = lambda event: None,
    control: RunControl | None = None,
    trace: bool = False,
) -> dict[str, Any]:
    """Distil a video and return the run's report.

    A finished run with the same settings is returned at once, an unfinished one goes on; changed
    settings redo what depends on them. ``resume`` demands that there is something to go on from,
    and approves of what waits for it. ``show`` is given the events of progress; ``trace`` keeps an
    MLflow trace beside the runs.

    Raises InputError for a video or folder that cannot be used or that another run is using,
    `Interrupted` where ``control`` was told to drain, `Waiting` where something is to be approved.
    """
    if trace:
        check_tracing()
    WhisperModels(context.whisper, context.align, context.diarize).check()
    if context.agents != "embedded" and (warning := ready(context)):
        show(Event(warning=warning))
    with open_video(video) as reader:
        info = reader.info
    out = open_runs(Path(context.out))
    context = replace(context, out=str(out))
    # A link stays one: its name is the run's, and its subtitles lie beside it.
    path = str(info.path)
    name = video_id(info.path, info.sha256)
    config: RunnableConfig = {
        "configurable": {"thread_id": thread_id(name)},
        # One thread more: LangGraph waits for the stream's events in one of them.
        "max_concurrency": context.max_concurrency + 1,
    }
    with (
        only_run(RunFolder(out / name), thread_id(name)),
        closing(sqlite3.connect(database(out), check_same_thread=False)) as connection,
    ):
        sweep(out / name)
        saver = SqliteSaver(connection)
        graph = build().compile(checkpointer=saver, cache=PartCache(path=str(database(out))))
        snapshot = graph.get_state(config)
        if resume and not snapshot.values:
            raise InputError(
                f"There is no run of {info.path.name} in {out} to go on from: "
                "leave --resume out to begin one."
            )
        settings = lasting_settings(context, info.path)
        # A copied folder knows its paths in the one that it was copied from.
        same = snapshot.values.get("settings") == settings and snapshot.values["run"] == str(
            out / name
        )
        if same and (report := finished(snapshot, context, resume)):
            if report["skipped"] or report["failed"]:
                show(Event(warning=LEFT_OUT))
            return report
        given: DistillInput | Command[Any] | None = None
        if resume and waiting(snapshot):
            given = Command(resume=True)
        whole = same and intact(snapshot)
        if same and snapshot.tasks and not whole:
            show(Event(warning=CHANGED))
        if not (whole and unfinished(snapshot, path, context)):
            saver.delete_thread(config["configurable"]["thread_id"])
            given = DistillInput(video_path=path)
        elif looked := [task for task in snapshot.tasks if task.name == "perceive"]:
            seen = sum(task.result is not None for task in looked)
            show(Event(stage="perceive", done=seen, total=len(looked)))

        run = partial(_run, graph, given, config, context, control)
        if not trace:
            return run(show)
        with tracing(out, RunFolder(out / name), settings) as traced:
            report = run(traced.after(show))
            traced.finish(report)
            return report


def _run(
    graph: "CompiledStateGraph[Any, Context, Any, Any]",
    given: DistillInput | Command[Any] | None,
    config: RunnableConfig,
    context: Context,
    control: RunControl | None,
    show: Callable[[Event], None],
) -> dict[str, Any]:
    """Let the graph run to its end, and return the report."""
    stream = graph.stream(
        given, config, context=context, stream_mode="custom", durability="sync", control=control
    )
    try:
        for event in stream:
            show(cast(Event, event))
    except GraphDrained as error:
        raise Interrupted from error
    snapshot = graph.get_state(config)
    if asked := waiting(snapshot):
        raise Waiting(asked)
    return read_report(reported(snapshot.values))


def waiting(snapshot: StateSnapshot) -> Approval | None:
    """Return what a run waits for a human to approve; None where it does not wait."""
    asked = [found.value for task in snapshot.tasks for found in task.interrupts]
    return cast(Approval, asked[0]) if asked else None


def ready(context: Context) -> str | None:
    """Ask the agents' model one question, before the video is touched; return a warning or None.

    Raises InputError where the model cannot be worked with.
    """
    from agents.language.preflight import preflight, sees

    model = load_chat_model(context)
    load_looks(context.image_embedder)
    if context.agents == BACKBONE:
        sees(cast("BackboneChat", model))
        return None
    return preflight(cast("ChatOpenAI", model))


def reported(values: dict[str, Any]) -> str:
    """Return where the report is; raises InputError where every branch came to nothing."""
    if "report" in values:
        return str(values["report"])
    reasons = [reason for _, reason in values.get("failed", [])]
    if not reasons:
        raise InputError(
            "The bound on spending was reached before anything was written about the video: allow "
            "more, and go on with --resume."
        )
    raise InputError(
        f"The agents' model failed at every span, at last because {reasons[-1]}: see to it, and go "
        "on with --resume."
    )


def finished(snapshot: StateSnapshot, context: Context, resume: bool) -> dict[str, Any] | None:
    """Return the report of a run that has nothing left to do; None for others.

    One that the clock cut short goes on where that is asked for, or with other minutes.
    """
    values = snapshot.values
    # Not `next`, which leaves out the tasks whose results are stored and not yet applied.
    if snapshot.tasks:
        return None
    try:
        read_nkr(Path(values["nkr"]), weights_only=False)
        report = read_report(values["report"])
    except (NKRError, OSError, ValueError, KeyError):
        return None
    if report.get("failed") and resume:
        return None
    if report["cut_short"] and (resume or context.max_minutes != report["max_minutes"]):
        return None
    return report


def unfinished(snapshot: StateSnapshot, path: str, context: Context) -> bool:
    """Say whether a run can go on: its video is where it left it, and nothing is to be redone."""
    values = snapshot.values
    # What the clock left out under another bound is looked at again; parts that are whole are kept.
    if values.get("skipped") and values.get("max_minutes") != context.max_minutes:
        return False
    # Nor what the agents' model failed at is left as it is, but where a human has to look first.
    if values.get("failed") and not waiting(snapshot):
        return False
    return bool(snapshot.tasks) and values["video_path"] == path


def intact(snapshot: StateSnapshot) -> bool:
    """Say whether the files of a run are what it wrote."""
    known = dict(snapshot.values.get("sums", {}))
    for task in snapshot.tasks:
        # What a stage's first branches wrote is not yet in the values.
        known |= (task.result or {}).get("sums", {})
    return are_whole(known)


def read_report(path: str) -> dict[str, Any]:
    """Read the report of a run."""
    report: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return report
