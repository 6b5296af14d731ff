"""Let the question-writer write new forms of the facts that the examination found unknown."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from agents.language.spending import working_on
from agents.language.wire_error import SpentError, WireError
from graphs.distill.assignments import assignment, writing_works
from graphs.distill.context import Context
from graphs.distill.failing import is_tried_again
from graphs.distill.nodes.assemble import counts, settle
from graphs.distill.parts import sums
from graphs.distill.progress import report, warn
from graphs.distill.resources import team_of
from graphs.distill.runs import RunFolder
from graphs.distill.state import DistillState

if TYPE_CHECKING:
    from training.corpus import Record


def augment(state: DistillState, runtime: Runtime[Context]) -> Command[Literal["train", "restore"]]:
    """Add verified records to the ``train`` split of the corpus; what stands there stays.

    Where a bound on spending is reached, or the agents' model fails to the last, none are, and the
    loop ends with what was learnt.
    """
    from agents.team import Failure, is_written_after
    from tools.evidence import EvidenceStore
    from training.corpus import read_corpus, write_corpus

    began = time.time()
    report(runtime, "augment", 0, 1)
    number = len(state["exams"])
    folder = RunFolder(Path(state["run"]))
    path = Path(state["corpus"])
    # A run that was stopped between writing and noting it finds its own records.
    records = [record for record in read_corpus(path) if not is_written_after(record, number)]
    failed = json.loads((folder.exams / f"failed-{number - 1}.json").read_text(encoding="utf-8"))
    by_id = {record.id: record for record in records}
    failures = [Failure(record=by_id[one["id"]], answer=one["answer"]) for one in failed]
    task = assignment(writing_works(state, runtime.context)[-1])
    team = team_of(state, runtime.context)
    judged: list[Record] = []
    name = f"augment/{number:05d}"
    left_out: dict[str, Any] = {}
    working_on.set(name)
    try:
        written = team.question_writer.augment(failures, task, number)
        judged = team.verifier.verify(written, task.plan, EvidenceStore(folder.evidence).all())
    except SpentError as error:
        left_out = {"skipped": [name], "warnings": [f"{error}: nothing more is written anew"]}
    except WireError as error:
        if is_tried_again(error, runtime):
            raise
        told = f"what was not learnt could not be written anew ({error}): --resume tries it again"
        left_out = {"failed": [(name, str(error))], "warnings": [told]}
    for warning in left_out.get("warnings", []):
        warn(runtime, warning)
    settled = settle([*records, *judged])[len(records) :]
    new = [record for record in settled if record.verdict == "supported"]
    write_corpus(folder.exams / f"taught-{number}.jsonl", new)
    kept = [*records, *new]
    write_corpus(path, kept)
    report(runtime, "augment", 1, 1)
    update = {
        "corpus_counts": {**state["corpus_counts"], **counts(kept)},
        "sums": sums(path, folder.exams / f"taught-{number}.jsonl"),
        "times": [("augment", began, time.time())],
        **left_out,
    }
    return Command(update=update, goto="restore" if left_out else "train")
