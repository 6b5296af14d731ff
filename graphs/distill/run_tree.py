"""A run as a tree in the terminal: what each span cost, what was rejected and why, the scores.

Read from the run's folder and its checkpoints; nothing is loaded and nothing is changed.
"""

import contextlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.sqlite import SqliteSaver
from rich.markup import escape
from rich.tree import Tree

from agents.language.spending import read_calls
from graphs.distill.parts import read_part
from graphs.distill.progress import STAGES
from graphs.distill.report import stage_seconds
from graphs.distill.runs import RunFolder, database, thread_id
from tools.errors import InputError
from tools.evidence import Evidence
from training.corpus import Record
from training.wording.timeline import clock

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

# So many rejected records are shown of a span, if not all are asked for.
SHOWN = 3
_BRANCHES = ("perceive", "describe", "write_questions", "verify", "revise")
_SCORES = ("recall", "recall_check", "recall_blind", "recall_exam", "false_answers")


@dataclass(frozen=True)
class Run:
    """What is kept of a run: its state as it was last, its records and its calls."""

    folder: RunFolder
    state: dict[str, Any]
    calls: list[dict[str, Any]]
    evidence: dict[str, Evidence]

    @property
    def video(self) -> dict[str, Any]:
        """What the video is."""
        found: dict[str, Any] = self.state["video"]
        return found

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan, once there is one."""
        path = self._here(self.state.get("plan", ""))
        plan = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not isinstance(plan, dict):
            raise ValueError(f"{path} is no plan")
        return plan

    def judged(self, branch: str) -> list[Record]:
        """Return a branch's records with their verdicts, those of the whole corpus' check first."""
        path = self.state.get("parts", {}).get(f"verify/{branch}")
        records = read_part(self._here(path), Record) if path else []
        late = {record.id: record for record in self._rejected}
        return [late.get(record.id, record) for record in records]

    def records(self) -> list[Record]:
        """Return every record that was written and judged."""
        corpus = self.folder.corpus / "corpus.jsonl"
        kept = read_part(corpus, Record) if corpus.exists() else []
        return [*kept, *self._rejected]

    def spans(self) -> list[tuple[str, tuple[float, float] | None]]:
        """Return the number and the span of each branch of writing, the whole video last."""
        if not self.plan:
            return []
        spans = [(start, end) for start, end in self.plan["spans"]]
        return [(f"{number:05d}", span) for number, span in enumerate([*spans, None])]

    def watched(self, branch: str) -> tuple[float, float]:
        """Return the span of a branch of looking and reading, of which not all may be planned."""
        start, end = self.state["spans"][int(branch)]
        return start, end

    def written_in(self, branch: str) -> str:
        """Return the branch of writing in whose span a branch of looking lies, or nothing."""
        middle = sum(self.watched(branch)) / 2
        found = (name for name, span in self.spans() if span and span[0] <= middle < span[1])
        return next(found, "")

    def _here(self, path: str) -> Path:
        """Return where a file of the run is now: the folder may have been moved or copied."""
        told = Path(path)
        inside = told.is_relative_to(self.state["run"])
        return self.folder.path / told.relative_to(self.state["run"]) if inside else told

    @cached_property
    def _rejected(self) -> list[Record]:
        path = self.folder.corpus / "rejected.jsonl"
        return read_part(path, Record) if path.exists() else []


def read_run(path: Path) -> Run:
    """Read the run of a folder; raises InputError where there is none."""
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    path = path.resolve()
    folder, file = RunFolder(path), database(path.parent)
    state: dict[str, Any] = {}
    if path.is_dir() and file.is_file():
        config: RunnableConfig = {"configurable": {"thread_id": thread_id(path.name)}}
        with closing(sqlite3.connect(file)) as connection:
            found = SqliteSaver(connection).get_tuple(config)
        state = found.checkpoint["channel_values"] if found else {}
    if "video" not in state:
        raise InputError(
            f"{path} is no run that has begun: name a folder in runs, beside graph.sqlite."
        )
    store = folder.evidence / "evidence.jsonl"
    evidence = read_part(store, Evidence) if store.exists() else []
    return Run(
        folder=folder,
        state=state,
        calls=list(read_calls(folder.calls)),
        evidence={item.id: item for item in evidence},
    )


def tree(run: Run, *, everything: bool = False) -> Tree:
    """Return a run as a tree; with ``everything`` all rejected records are shown."""
    state = run.state
    times = [tuple(one) for one in state.get("times", [])]
    seconds = stage_seconds(times)
    name, length = escape(run.video["id"]), clock(run.video["seconds"])
    ended = "finished" if "report" in state else "not finished"
    root = Tree(f"[bold]{name}[/bold]  {length}, {ended}, {sum(seconds.values()):.1f} s")
    stages = root.add("stages")
    for stage, taken in seconds.items():
        calls = [one for one in run.calls if one.get("branch", "").partition("/")[0] == stage]
        stages.add(f"{STAGES.get(stage, stage)}: {taken:.1f} s{_paid(calls)}")
    if others := [one for one in run.calls if "/" not in one.get("branch", "")]:
        stages.add(f"calls for no span{_paid(others)}")
    spans = root.add("spans")
    by_branch: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for stage, begin, end in times:
        kind, _, branch = stage.partition("/")
        if branch:
            branch = run.written_in(branch) if kind == "perceive" else branch
            by_branch[branch][kind] = by_branch[branch].get(kind, 0.0) + end - begin
    for branch, span in run.spans():
        _add_span(spans.add(_title(span, by_branch[branch])), run, branch, span, everything)
    for line in _left_out(run):
        root.add(f"[red]left out: {line}[/red]")
    for one in state.get("failed", []):
        root.add(f"[red]failed: {escape(' '.join(map(str, one)))}[/red]")
    for number, exam in sorted(state.get("exams", {}).items()):
        root.add(f"exam {int(number) + 1}: {_scores(exam)}, {exam['failed']} failed")
    if "scores" in state:
        root.add(f"check: {_scores(state['scores'])}")
    for warning in state.get("warnings", []):
        root.add(f"[yellow]{escape(warning)}[/yellow]")
    return root


def record_tree(run: Run, name: str) -> Tree:
    """Return where one record comes from: its verdict, facts and evidence.

    Raises InputError where there is none of the name.
    """
    found = next((record for record in run.records() if record.id == name), None)
    if found is None:
        raise InputError(f"There is no record {name}: see corpus.jsonl in {run.folder.corpus}.")
    root = Tree(f"[bold]{escape(found.id)}[/bold]  {found.form}, {found.split}")
    root.add(f"question: {escape(found.question)}")
    root.add(f"answer: {escape(found.answer)}")
    root.add(f"verdict: {escape(found.verdict)}")
    facts = {fact["id"]: fact for fact in run.plan.get("facts", [])}
    for one in found.fact_ids:
        fact = facts.get(one, {"subject": "?", "attribute": "?", "value": "?"})
        line = f"{one} {fact['subject']} {fact['attribute']}: {fact['value']}"
        root.add(f"fact {escape(line)}")
    for source in found.sources:
        root.add(f"evidence {escape(_evidence(run, source))}")
    return root


def _add_span(
    node: Tree, run: Run, branch: str, span: tuple[float, float] | None, everything: bool
) -> None:
    if span:
        kinds = Counter(
            item.kind
            for item in run.evidence.values()
            if item.start < span[1] and span[0] < item.end
        )
        node.add(f"measured: {_counted(kinds)}")
    calls = [one for one in run.calls if one.get("branch", "").endswith(f"/{branch}")]
    if calls:
        node.add(f"calls{_paid(calls)}")
    records = run.judged(branch)
    splits = Counter(record.split for record in records if record.verdict == "supported")
    node.add(f"records: {_counted(splits)}")
    rejected = [record for record in records if record.verdict not in ("", "supported")]
    if not rejected:
        return
    below = node.add(f"rejected: {len(rejected)}")
    for record in rejected if everything else rejected[:SHOWN]:
        why = record.verdict.removeprefix("rejected: ")
        below.add(f"{record.id} {escape(f'{record.question} | {record.answer}: {why}')}")
    if not everything and len(rejected) > SHOWN:
        below.add(f"and {len(rejected) - SHOWN} more (--all)")


def _title(span: tuple[float, float] | None, seconds: dict[str, float]) -> str:
    name = f"{clock(span[0])}-{clock(span[1])}" if span else "the whole video"
    taken = [f"{STAGES[stage]} {seconds[stage]:.1f} s" for stage in _BRANCHES if stage in seconds]
    return f"[bold]{name}[/bold]  {', '.join(taken)}"


def _counted(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items()) or "none"


def _paid(calls: list[dict[str, Any]]) -> str:
    """Return what calls cost, in words; nothing where there were none."""
    if not calls:
        return ""
    read, written = (sum(one[name] for one in calls) for name in ("read", "written"))
    failed = sum(bool(one["failed"]) for one in calls)
    return (
        f": {len(calls)} calls ({failed} failed), {read} tokens read and {written} written, "
        f"{sum(one['seconds'] for one in calls):.1f} s, ${sum(one['cost'] for one in calls):.4f}"
    )


def _scores(scores: dict[str, Any]) -> str:
    told = [f"{name} {scores[name]:.2f}" for name in _SCORES if scores.get(name) is not None]
    return ", ".join(told)


def _evidence(run: Run, name: str) -> str:
    item = run.evidence.get(name)
    if item is None:
        return f"{name} (not in the store)"
    span = f"{clock(item.start)}-{clock(item.end)}"
    return f"{name} {span} {item.kind}: {item.value} ({item.source}, {item.score:.2f})"


def _left_out(run: Run) -> Iterator[str]:
    """Yield a line for each stage of which the clock left work out, its spans joined."""
    branches: defaultdict[str, list[str]] = defaultdict(list)
    for one in run.state.get("skipped", []):
        stage, _, branch = one.partition("/")
        branches[stage].append(branch)
    spans = dict(run.spans())
    for stage, left in branches.items():
        name = STAGES.get(stage, stage)
        if not any(left):
            yield name
            continue
        found = [run.watched(one) if stage == "perceive" else spans.get(one) for one in left]
        told = [f"{clock(start)}-{clock(end)}" for start, end in _joined(filter(None, found))]
        more = len(told) - SHOWN
        listed = ", ".join(told[:SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield f"{name} of {len(left)} spans{listed and ': '}{listed}"


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
