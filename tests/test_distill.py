"""The distill graph: its shape, its joins, and a whole run on a small talk."""

import json
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from graphs.context import Context
from graphs.distill import graph
from graphs.launch import distill
from graphs.nodes.assemble import settle
from graphs.nodes.probe import even_spans
from graphs.parts import PartCache, work_key
from graphs.report import stage_seconds
from graphs.runs import thread_id, video_id
from graphs.spread import spread
from graphs.state import join, merge
from training.corpus import Message, Record, read_corpus

pytest_plugins = ("talks",)


def record(key: str, question: str, answer: str, split: str = "train", **other: Any) -> Record:
    turns = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    chosen = {"kind": "qa", "form": "open/title", "verdict": "supported", **other}
    return Record(id=key, video_id="v", split=split, messages=turns, **chosen)  # type: ignore[arg-type]


def test_the_exported_graph_has_every_stage_and_no_checkpointer() -> None:
    assert graph.checkpointer is None
    stages = "probe perceive listen plan describe write_questions verify review revise assemble "
    stages += "train examine publish"
    assert set(stages.split()) == set(graph.nodes) - {"__start__"}
    drawn = {(edge.source, edge.target) for edge in graph.get_graph().edges}
    assert {("verify", "review"), ("review", "revise"), ("revise", "verify")} <= drawn
    assert ("review", "assemble") in drawn


def test_every_setting_says_what_it_is() -> None:
    assert all(len(field.metadata["description"]) > 20 for field in fields(Context))
    json.dumps(graph.get_context_jsonschema())


def test_every_beginning_of_the_order_of_work_covers_the_video() -> None:
    order = spread(13)
    assert sorted(order) == list(range(13))
    assert order[0] == 0
    gaps = sorted(order[:7])
    assert max(b - a for a, b in pairwise(gaps)) <= 4


def test_joins_do_not_show_which_branch_ended_first() -> None:
    one, two = {"b/2": "x"}, {"a/1": "y"}
    assert list(merge(merge({}, one), two)) == list(merge(merge({}, two), one)) == ["a/1", "b/2"]
    assert join(join([], [["t", 2, 3]]), [("t", 1, 2)]) == [("t", 1, 2), ("t", 2, 3)]


def test_time_that_branches_share_counts_once() -> None:
    times = [("a", 1.0, 3.0), ("a", 2.0, 4.0), ("a", 10.0, 11.0), ("b", 4.0, 4.5)]
    assert stage_seconds(times) == {"a": 4.0, "b": 0.5}


def test_even_spans_have_no_holes() -> None:
    spans = even_spans(1.5, 36.5)
    assert spans[0][0] == 1.5
    assert spans[-1][1] == 36.5
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_ids_tell_videos_apart_by_name_and_content() -> None:
    assert video_id(Path("a/Über Tälk 2.mp4"), "0123456789") == "uber-talk-2-01234567"
    assert video_id(Path("日本.mp4"), "0123456789") == "video-01234567"
    assert thread_id("a") != thread_id("b")


def test_the_key_of_work_is_its_content() -> None:
    assert work_key({"span": [0, 1], "video_path": "a"}) == work_key(
        {"video_path": "b", "span": [0, 1]}
    )
    assert work_key({"span": [0, 1]}) != work_key({"span": [0, 2]})


def test_the_cache_forgets_what_was_skipped_and_what_was_deleted(tmp_path: Path) -> None:
    cache = PartCache(path=str(tmp_path / "c.sqlite"))
    part = tmp_path / "part"
    part.touch()
    done, skipped = (("n",), "done"), (("n",), "skipped")
    cache.set({done: ([("parts", {"a": str(part)})], None), skipped: ([("skipped", ["a"])], None)})
    assert set(cache.get([done, skipped])) == {done}
    part.unlink()
    assert cache.get([done]) == {}


def test_records_that_clash_between_branches_are_rejected() -> None:
    settled = settle(
        [
            record("1", "What is the title?", "Kettle"),
            record("2", "What is the title?", "Harbour"),
            record("3", "Who bought it?", "Marta"),
            record("4", "who bought it", "Marta", split="check"),
            record("5", "Which year?", "1921"),
            record("6", "Which year?", "1921"),
            record("7", "Describe it.", "One.", kind="description", form="statement/plain"),
            record("8", "Describe it.", "Two.", kind="description", form="statement/plain"),
        ]
    )
    assert [r.id for r in settled if r.verdict == "supported"] == ["4", "5", "7", "8"]
    assert all(r.verdict.startswith("rejected: ") for r in settled if r.id in "1236")


def test_a_run_publishes_an_nkr_and_reports_everything(finished: dict[str, Any]) -> None:
    nkr = Path(finished["nkr"])
    assert nkr.is_absolute()
    assert nkr.parent.name == "nkrs"
    for name in ("adapter_model.safetensors", "adapter_config.json", "nkr.json", "evidence.jsonl"):
        assert (nkr / name).is_file()
    run = nkr.parents[1] / nkr.name
    assert {path.name for path in run.iterdir()} == {"evidence", "corpus", "train", "report.json"}
    assert {path.name for path in nkr.parents[1].iterdir()} == {"nkrs", nkr.name, "graph.sqlite"}
    assert finished["evidence"]["shots"] == 3
    assert finished["evidence"]["speech"] == 2
    assert finished["evidence"]["text"] >= 3
    assert finished["train"]["steps"] == 3
    assert finished["corpus"]["facts"] > 10
    assert {"recall_check", "recall_blind", "recall_train"} <= set(finished["scores"])
    assert {"probe", "perceive", "train", "examine", "publish"} <= set(finished["seconds"])


def test_the_corpus_keeps_held_out_wordings_out_of_training(finished: dict[str, Any]) -> None:
    from training.scoring import fold

    nkr = Path(finished["nkr"])
    records = read_corpus(nkr.parents[1] / nkr.name / "corpus" / "corpus.jsonl")
    assert {record.verdict for record in records} == {"supported"}
    trained = {fold(r.question) for r in records if r.split == "train"}
    assert not trained & {fold(r.question) for r in records if r.split != "train"}


def test_the_same_seed_gives_the_same_corpus(
    talk: Path,
    settings: Callable[..., Context],
    finished: dict[str, Any],
    tmp_path: Path,
) -> None:
    other = distill(talk, settings(tmp_path, max_concurrency=4, max_steps=1))
    corpora = [
        (Path(report["nkr"]).parents[1] / report["video"]["id"] / "corpus" / "corpus.jsonl")
        for report in (finished, other)
    ]
    assert corpora[0].read_bytes() == corpora[1].read_bytes()
