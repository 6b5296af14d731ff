"""Publish the NKR and write the run's report."""

import json
import os
import time
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime

from graphs.distill.context import Context
from graphs.distill.learning_report import write_picture, write_table
from graphs.distill.nodes.restore import past_limits
from graphs.distill.parts import sums, write_text
from graphs.distill.progress import report
from graphs.distill.report import full_report
from graphs.distill.resources import backbone_of, behind_moments
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState
from tools.errors import InputError


def publish(state: DistillState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Return where the NKR and the report are."""
    from tools.embedding import Embedder
    from tools.evidence import EvidenceStore, searchable
    from training import nkr
    from training.calibration import Calibration
    from training.corpus import corpus_hash
    from training.forgetting import Forgetting

    began = time.time()
    report(runtime, "publish", 0, 1)
    context = runtime.context
    spoilt = past_limits(Forgetting(**state["forgetting"]), context)
    if spoilt and not context.force:
        raise InputError(
            f"The adapter spoils what the backbone could do ({'; '.join(spoilt)}): "
            "give --force to publish it all the same, or teach less with --max-rounds 0."
        )
    folder = RunFolder(Path(state["run"]))
    video = state["video"]
    store = EvidenceStore(folder.evidence)
    nkr.publish(
        folder.nkr,
        adapter=Path(state["adapter"]),
        evidence=store.path,
        embeddings=Embedder().embed([searchable(item) for item in store.all()]),
        backbone=backbone_of(context),
        video=nkr.Video(
            # A file's name may be any bytes, and JSON is UTF-8.
            name=os.fsencode(Path(state["video_path"]).name).decode("utf-8", "replace"),
            sha256=video["sha256"],
            seconds=video["seconds"],
            width=video["width"],
            height=video["height"],
        ),
        corpus=nkr.Taught(sha256=corpus_hash(Path(state["corpus"])), counts=state["corpus_counts"]),
        scores=state["scores"],
        moments=behind_moments(state),
        calibration=Calibration.model_validate(state["calibration"]),
        seed=context.seed,
    )
    finished: DistillState = {
        **state,
        "nkr": str(folder.nkr),
        "report": str(folder.report),
        "warnings": [*state.get("warnings", []), *(f"published by force: {s}" for s in spoilt)],
        "times": [*state["times"], ("publish", began, time.time())],
    }
    told = full_report(finished, context)
    write_text(folder.report, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    write_table(told["exams"], state, folder.table)
    write_picture(told["exams"], context.target_recall, folder.picture)
    report(runtime, "publish", 1, 1)
    published = sums(*sorted(folder.nkr.iterdir()), folder.report)
    return {"nkr": finished["nkr"], "report": finished["report"], "sums": published}
