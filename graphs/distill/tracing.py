"""Traces of a run in MLflow: every node and agent call, the training curve, scores and files.

They are kept in `traces.sqlite` and `traces/` of the folder of all runs, on this machine alone.
Needs the extra `trace`.
"""

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphs.distill.progress import Event
from graphs.distill.runs import RunFolder
from tools.errors import InputError

if TYPE_CHECKING:
    from mlflow.entities import LiveSpan

EXPERIMENT = "nkr"
_TAG, _SETTINGS = "nkr.video", "nkr.settings"


def trace_database(out: Path) -> Path:
    """Return the file of all runs' traces."""
    return out / "traces.sqlite"


@dataclass
class Trace:
    """The MLflow run of one distillation."""

    folder: RunFolder
    _before: int = 0
    _last: int = 0

    def after(self, show: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return what shows an event and logs it."""

        def both(event: Event) -> None:
            show(event)
            if "loss" in event:
                self._loss(event)

        return both

    def _loss(self, event: Event) -> None:
        """Log the loss of a training step; the steps of later rounds follow those before."""
        import mlflow

        step = int(event["done"])
        if step < self._last:
            self._before += self._last
        self._last = step
        mlflow.log_metric("loss", event["loss"], step=self._before + step)

    def finish(self, report: dict[str, Any]) -> None:
        """Log the scores of each round and of the check, and the files of the run."""
        import mlflow

        for number, exam in enumerate(report["exams"]):
            mlflow.log_metrics(_numbers("exam", exam), step=number)
        mlflow.log_metrics(_numbers("check", report["scores"]))
        mlflow.log_metrics(_numbers("forgetting", report["forgetting"]))
        mlflow.log_metrics(_numbers("seconds", report["seconds"]))
        folder = self.folder
        files = [folder.report, folder.table, folder.picture, folder.calls]
        files += [
            *sorted(folder.corpus.glob("*.json*")),
            *sorted(folder.exams.glob("*.json*")),
            folder.nkr / "nkr.json",
        ]
        for path in dict.fromkeys(files):
            if path.exists():
                inside = path.parent.relative_to(folder.path) if folder.path in path.parents else ""
                mlflow.log_artifact(str(path), str(inside) if str(inside) != "." else None)


def check_tracing() -> None:
    """Raise InputError where MLflow is not installed."""
    if importlib.util.find_spec("mlflow") is None or importlib.util.find_spec("langchain") is None:
        raise InputError(
            "--trace needs MLflow, which is not installed: run `make setup-traces`, install the "
            "extra `nkr[trace]`, or leave --trace out."
        )


@contextmanager
def tracing(out: Path, folder: RunFolder, settings: dict[str, Any]) -> Iterator[Trace]:
    """Trace what a graph does meanwhile; a run that was stopped goes on in its MLflow run."""
    # The frames that a model saw are in the video: they would be kept once a call.
    os.environ["MLFLOW_TRACE_EXTRACT_ATTACHMENTS"] = "false"
    import mlflow

    uri = f"sqlite:///{trace_database(out)}"
    mlflow.set_tracking_uri(uri)
    known = mlflow.get_experiment_by_name(EXPERIMENT)
    name = (
        known.experiment_id
        if known
        else mlflow.create_experiment(EXPERIMENT, artifact_location=(out / "traces").as_uri())
    )
    mlflow.set_experiment(experiment_id=name)
    mlflow.tracing.configure(span_processors=[hide_pictures])
    mlflow.langchain.autolog()
    video = folder.path.name
    # A run with other settings is another one.
    told = json.dumps(settings, sort_keys=True, default=str)
    tags = {_TAG: video, _SETTINGS: hashlib.sha256(told.encode()).hexdigest()}
    same = " and ".join(f"tags.`{tag}` = '{value}'" for tag, value in tags.items())
    stopped = mlflow.search_runs(
        [name],
        filter_string=f"{same} and attributes.status != 'FINISHED'",
        max_results=1,
        output_format="list",
    )
    try:
        with mlflow.start_run(
            run_id=stopped[0].info.run_id if stopped else None, run_name=video, tags=tags
        ):
            if not stopped:
                mlflow.log_params({name: str(value) for name, value in settings.items()})
            yield Trace(folder)
    finally:
        mlflow.langchain.autolog(disable=True)


def hide_pictures(span: "LiveSpan") -> None:
    """Leave the pixels out of what is kept of a prompt: they are in the video."""
    if span.inputs is not None:
        span.set_inputs(_hidden(span.inputs))
    if span.outputs is not None:
        span.set_outputs(_hidden(span.outputs))


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(one) for one in value]
    if isinstance(value, str) and value.startswith("data:image/"):
        return f"[a picture of {len(value)} characters]"
    return value


def _numbers(group: str, values: dict[str, Any]) -> dict[str, float]:
    return {
        f"{group}/{name}": float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
