"""A run can be looked at afterwards: as a tree in the terminal, and in MLflow."""

import contextlib
import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from rich.console import Console
from wire import KEY, MODEL, Wire

from graphs.commands.main import main
from graphs.distill import tracing
from graphs.distill.context import Context
from graphs.distill.launch import distill
from graphs.distill.run_tree import read_run, tree
from graphs.distill.runs import RunFolder
from tools.errors import InputError
from training.corpus import read_corpus, write_corpus

pytest_plugins = ("talks", "wire")


def folder_of(report: dict[str, Any]) -> Path:
    nkr = Path(report["nkr"])
    return nkr.parents[1] / nkr.name


@pytest.fixture(scope="module")
def language_run(
    talk: Path, settings: Callable[..., Context], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The report of a traced run with agents at a server."""
    with Wire() as wire, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        out = tmp_path_factory.mktemp("traced")
        context = settings(
            out, agents=f"openai:{MODEL}", base_url=wire.url, max_rounds=1, price=(1.0, 2.0)
        )
        return distill(talk, context, trace=True)


def test_the_tree_tells_costs_and_reasons(
    finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(finished)
    assert main(["trace", str(folder), "--all"]) == 0
    shown = capsys.readouterr().out
    assert finished["video"]["id"] in shown
    assert "finished" in shown
    assert "00:04-00:08" in shown
    assert "the whole video" in shown
    assert shown.count("exam ") >= len(finished["exams"])


def test_the_tree_tells_what_was_rejected_and_why(
    finished: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(folder_of(finished).parent, tmp_path / "runs")
    folder = tmp_path / "runs" / folder_of(finished).name
    records = read_corpus(folder / "corpus" / "corpus.jsonl")[::400]
    rejected = [record.model_copy(update={"verdict": "rejected: repeats"}) for record in records]
    assert rejected
    write_corpus(folder / "corpus" / "rejected.jsonl", rejected)
    assert main(["trace", str(folder), "--all"]) == 0
    shown = capsys.readouterr().out.splitlines()
    for record in rejected:
        line = next(line for line in shown if record.id in line)
        assert record.verdict.removeprefix("rejected: ") in line


def test_what_the_clock_left_out_is_told_by_spans(finished: dict[str, Any]) -> None:
    """Spans that were not looked at are not planned: those that were keep their own times."""
    run = read_run(folder_of(finished))
    looked = [[0, 1], [1, 4], *run.plan["spans"][1:], *([n, n + 1] for n in range(12, 40, 2))]
    skipped = [f"perceive/{n:05d}" for n in (0, *range(4, len(looked)))] + ["check"]
    times = [("perceive/00001", 0.0, 7.0), ("perceive/00002", 7.0, 18.0)]
    state = {**run.state, "spans": looked, "skipped": skipped, "times": times}
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(tree(dataclasses.replace(run, state=state)))
    shown = console.export_text()
    assert "00:00-00:04  look and read 7.0 s" in shown
    assert "00:04-00:08  look and read 11.0 s" in shown
    left = (
        f"look and read of {len(skipped) - 1} spans: 00:00-00:01, 00:12-00:13, 00:14-00:15 and 12"
    )
    assert f"left out: {left} more" in shown
    assert "left out: check" in shown


def test_a_record_is_followed_to_its_evidence(
    finished: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(finished)
    records = read_corpus(folder / "corpus" / "corpus.jsonl")
    record = next(one for one in records if one.kind == "qa" and one.sources)
    assert main(["trace", str(folder), "--record", record.id]) == 0
    shown = capsys.readouterr().out
    assert record.question in shown
    assert all(fact in shown for fact in record.fact_ids)
    evidence = [
        json.loads(line)
        for line in (folder / "evidence" / "evidence.jsonl").read_text().splitlines()
    ]
    proofs = [item for item in evidence if item["id"] in record.sources]
    assert proofs
    assert all(item["value"] in shown for item in proofs)


def test_what_is_no_run_is_told(
    finished: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", str(tmp_path)]) == 2
    assert main(["trace", str(folder_of(finished)), "--record", "q-none"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert "no run that has begun" in told[0]
    assert "There is no record q-none" in told[1]


def test_a_moved_run_is_shown_whole_and_a_damaged_one_told(
    finished: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(finished)
    assert main(["trace", str(folder)]) == 0
    whole = capsys.readouterr().out
    runs = shutil.copytree(folder.parent, tmp_path / "moved")
    moved = runs / folder.name
    # Where the original still is, a copy shows itself all the same.
    plan = next((moved / "corpus").glob("plan.json"))
    plan.write_text(plan.read_text().replace("Copper", "Silver"))
    assert main(["trace", str(moved)]) == 0
    assert capsys.readouterr().out == whole
    assert "Silver" in str(read_run(moved).plan)
    for damaged in ("evidence/evidence.jsonl", "corpus/rejected.jsonl", "corpus/plan.json"):
        kept = (moved / damaged).read_bytes()
        (moved / damaged).write_bytes(b"[]\n{")
        assert main(["trace", str(moved)]) == 2
        assert "missing or damaged" in capsys.readouterr().err
        (moved / damaged).write_bytes(kept)


def test_the_calls_of_a_span_are_counted(
    language_run: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", str(folder_of(language_run))]) == 0
    shown = capsys.readouterr().out
    spans = shown.partition("spans")[2]
    assert "calls: " in spans
    calls = [
        json.loads(line)
        for line in (folder_of(language_run) / "corpus" / "calls.jsonl").read_text().splitlines()
    ]
    first = [call for call in calls if call["branch"].endswith("/00000")]
    assert {call["agent"] for call in first} == {"describer", "question_writer", "verifier"}
    assert f"calls: {len(first)} calls" in spans
    assert all(call["branch"] for call in calls)
    assert f"${sum(call['cost'] for call in first):.4f}" in spans


def test_a_trace_holds_every_agent_call(language_run: dict[str, Any]) -> None:
    out = folder_of(language_run).parent
    mlflow.set_tracking_uri(f"sqlite:///{tracing.trace_database(out)}")
    mlflow.flush_trace_async_logging()
    (run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert run.info.status == "FINISHED"
    assert run.data.metrics["check/false_answers"] == language_run["scores"]["false_answers"]
    client = mlflow.MlflowClient()
    losses = client.get_metric_history(run.info.run_id, "loss")
    assert len({point.step for point in losses}) == language_run["train"]["steps"]
    rounds = client.get_metric_history(run.info.run_id, "exam/recall")
    assert len(rounds) == len(language_run["exams"])
    kept = {item.path for item in client.list_artifacts(run.info.run_id, "corpus")}
    assert {"corpus/corpus.jsonl", "corpus/plan.json", "corpus/calls.jsonl"} <= kept
    (trace,) = mlflow.search_traces(
        locations=[run.info.experiment_id], run_id=run.info.run_id, return_type="list"
    )
    spans = {span.span_id: span for span in trace.data.spans}

    def above(span: Any) -> list[str]:
        names = []
        while span.parent_id:
            span = spans[span.parent_id]
            names.append(span.name)
        return names

    agents = {
        "planner.plan": "plan",
        "describer.describe": "describe",
        "question_writer.write": "write_questions",
        "verifier.verify": "verify",
        "question_writer.augment": "augment",
    }
    for name, node in agents.items():
        found = [span for span in spans.values() if span.name == name]
        assert found, name
        assert any(node in above(span) for span in found)
    models = [span for span in spans.values() if span.span_type == "CHAT_MODEL"]
    succeeded = [
        json.loads(line)
        for line in (folder_of(language_run) / "corpus" / "calls.jsonl").read_text().splitlines()
    ]
    assert len(models) >= len(succeeded)
    named = {"planner", "describer", "question_writer", "verifier"}
    assert all({name.partition(".")[0] for name in above(span)} & named for span in models)
    described = next(
        s for s in models if "describer.describe" in above(s) and "The span is" in str(s.inputs)
    )
    asked, replied = json.dumps(described.inputs), json.dumps(described.outputs)
    assert "The span is" in asked
    assert "Kettle" in replied
    assert "[a picture of" in asked
    assert described.attributes["mlflow.chat.tokenUsage"]["input_tokens"] > 0
    raw = tracing.trace_database(out).read_bytes()
    assert b"data:image" not in raw
    assert KEY.encode() not in raw


def test_a_run_with_other_settings_is_traced_apart(tmp_path: Path) -> None:
    def stopped(seed: int) -> str:
        folder = RunFolder(tmp_path / "talk")
        with (
            contextlib.suppress(KeyboardInterrupt),
            tracing.tracing(tmp_path, folder, {"seed": seed}),
        ):
            run = mlflow.active_run()
            raise KeyboardInterrupt
        assert run is not None
        assert mlflow.get_run(run.info.run_id).data.params == {"seed": str(seed)}
        return str(run.info.run_id)

    first = stopped(0)
    assert stopped(1) != first
    assert stopped(0) == first, "what was stopped goes on"


def test_without_mlflow_only_traces_are_missing(
    talk: Path,
    settings: Callable[..., Context],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="setup-traces"):
        distill(talk, settings(tmp_path), trace=True)
    assert not list(tmp_path.iterdir())
