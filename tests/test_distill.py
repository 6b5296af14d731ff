"""The distill graph: its shape, its joins, and a whole run on a small talk."""

import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from graphs.distill.context import Context
from graphs.distill.graph import graph
from graphs.distill.launch import distill
from graphs.distill.nodes.assemble import settle
from graphs.distill.nodes.check import LEFT
from graphs.distill.nodes.examine import until
from graphs.distill.nodes.probe import even_spans
from graphs.distill.nodes.restore import past_limits
from graphs.distill.nodes.train import lesson
from graphs.distill.parts import PartCache, sums, work_key
from graphs.distill.progress import Event
from graphs.distill.report import stage_seconds
from graphs.distill.runs import thread_id, video_id
from graphs.distill.spread import spread
from graphs.distill.state import join, merge
from tools.errors import InputError
from training.corpus import Message, Record, read_corpus
from training.forgetting import Forgetting
from training.nkr import WEIGHTS, read_nkr
from training.probe import read_probe

pytest_plugins = ("talks",)


def record(key: str, question: str, answer: str, split: str = "train", **other: Any) -> Record:
    turns = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    chosen = {"kind": "qa", "form": "open/title", "verdict": "supported", **other}
    return Record(id=key, video_id="v", split=split, messages=turns, **chosen)  # type: ignore[arg-type]


def test_the_exported_graph_has_every_stage_and_no_checkpointer() -> None:
    assert graph.checkpointer is None
    stages = "probe perceive listen plan describe write_questions verify review revise assemble "
    stages += "approve_plan approve_corpus train examine augment restore check publish"
    assert set(stages.split()) == set(graph.nodes) - {"__start__"}
    drawn = {(edge.source, edge.target) for edge in graph.get_graph().edges}
    assert {("verify", "review"), ("review", "revise"), ("revise", "verify")} <= drawn
    assert ("review", "assemble") in drawn
    assert {("train", "examine"), ("examine", "augment"), ("augment", "train")} <= drawn
    assert {("examine", "restore"), ("restore", "check"), ("check", "publish")} <= drawn


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


def test_the_cache_forgets_what_was_skipped_and_what_was_changed(tmp_path: Path) -> None:
    cache = PartCache(path=str(tmp_path / "c.sqlite"))
    part = tmp_path / "part"
    part.write_text("of two\nlines\n")
    done, skipped = (("n",), "done"), (("n",), "skipped")
    writes = [("parts", {"a": str(part)}), ("sums", sums(part))]
    cache.set({done: (writes, None), skipped: ([("skipped", ["a"])], None)})
    assert set(cache.get([done, skipped])) == {done}
    for change in (lambda: part.write_text("of two\nlived\n"), part.unlink):
        change()
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


def corpus_of(report: dict[str, Any]) -> Path:
    nkr = Path(report["nkr"])
    return nkr.parents[1] / nkr.name / "corpus" / "corpus.jsonl"


def test_a_run_publishes_an_nkr_and_reports_everything(finished: dict[str, Any]) -> None:
    nkr = Path(finished["nkr"])
    assert nkr.is_absolute()
    assert nkr.parent.name == "nkrs"
    for name in ("adapter_model.safetensors", "adapter_config.json", "nkr.json", "evidence.jsonl"):
        assert (nkr / name).is_file()
    run = nkr.parents[1] / nkr.name
    kept = {"evidence", "corpus", "train", "report.json", "report.md", "recall.png"}
    assert {path.name for path in run.iterdir()} == kept
    assert {path.name for path in nkr.parents[1].iterdir()} == {"nkrs", nkr.name, "graph.sqlite"}
    assert finished["evidence"]["shots"] == 3
    assert finished["evidence"]["speech"] == 2
    assert finished["evidence"]["text"] >= 3
    assert finished["train"]["steps"] == 3 * len(finished["exams"])
    assert finished["corpus"]["facts"] > 10
    assert {"recall_check", "recall_blind", "recall_train"} <= set(finished["scores"])
    assert {"probe", "perceive", "train", "examine", "publish"} <= set(finished["seconds"])


def test_the_corpus_keeps_held_out_wordings_out_of_training(finished: dict[str, Any]) -> None:
    from training.scoring import fold

    records = read_corpus(corpus_of(finished))
    assert {record.verdict for record in records} == {"supported"}
    trained = {fold(r.question) for r in records if r.split == "train"}
    assert not trained & {fold(r.question) for r in records if r.split != "train"}


def test_the_same_seed_gives_the_same_corpus(
    talk: Path,
    settings: Callable[..., Context],
    finished: dict[str, Any],
    tmp_path: Path,
) -> None:
    other = distill(talk, settings(tmp_path, max_concurrency=4, max_steps=1, max_rounds=0))
    first, second = (read_corpus(corpus_of(report)) for report in (finished, other))
    # What an exam adds depends on the adapter too, and this one was trained for fewer steps.
    assert [r for r in first if r.id[0] != "a"] == [r for r in second if r.id[0] != "a"]


def test_what_an_exam_found_unknown_is_taught_anew(finished: dict[str, Any]) -> None:
    exams = finished["exams"]
    assert len(exams) > 1
    assert exams[1]["steps"] > exams[0]["steps"]
    records = read_corpus(corpus_of(finished))
    run = corpus_of(finished).parents[1]
    taught = read_corpus(run / "train" / "exams" / "taught-1.jsonl")
    failed = json.loads((run / "train" / "exams" / "failed-0.json").read_text())
    assert len(failed) == exams[0]["failed"] > 0
    by_id = {record.id: record for record in records}
    assert all(by_id[one["id"]].split == "exam" for one in failed)
    missed = {fact for one in failed for fact in by_id[one["id"]].fact_ids}
    assert taught
    assert {record.split for record in taught} == {"train"}
    assert all(set(record.fact_ids) & missed for record in taught if record.kind == "qa")


def test_the_rounds_are_told_as_a_table_and_as_a_picture(finished: dict[str, Any]) -> None:
    from PIL import Image

    run = corpus_of(finished).parents[1]
    lines = (run / "report.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("|")]
    columns = len(finished["exams"]) + 2
    assert all(line.count("|") == columns + 1 for line in table)
    told = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in table}
    assert told["recall"][0].strip() == f"{finished['exams'][0]['recall']:.3f}"
    right, asked = finished["exams"][0]["by_form"]["open/title_by_time"]
    assert told["open/title_by_time"][0].strip() == f"{right}/{asked}"
    assert Image.open(run / "recall.png").size[0] > 800


def test_what_forgets_too_much_is_published_by_force_alone(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    strict = settings(tmp_path, max_steps=1, max_rounds=0, max_kl=0.0)
    with pytest.raises(InputError, match="--force"):
        distill(talk, strict)
    assert not list(tmp_path.glob("nkrs/*"))
    adapter = next(tmp_path.glob("*/train/adapter/adapter_model.safetensors"))
    trained = adapter.stat().st_mtime_ns
    report = distill(talk, replace(strict, force=True))
    assert adapter.stat().st_mtime_ns == trained, "nothing is trained again"
    assert any("by force" in warning for warning in report["warnings"])
    assert Path(report["nkr"]).is_dir()


def test_confidence_is_fitted_before_the_rest_is_asked(
    talk: Path, settings: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is up before the check, what is told still has its threshold."""
    up = {LEFT: 0.0}
    monkeypatch.setattr(Context, "closing", lambda _, part: up.get(part, float("inf")))
    report = distill(talk, settings(tmp_path, max_steps=1, max_rounds=0))
    calibration = read_nkr(Path(report["nkr"]), weights_only=True).manifest.calibration
    assert calibration
    assert calibration.count > 0
    assert report["scores"]["recall_check"] is None
    assert report["cut_short"]


@pytest.mark.parametrize(
    ("minutes", "kept"), [(None, None), (0.1, 15.0), (10.0, 90.0), (600.0, 300.0)]
)
def test_of_any_time_some_is_kept_for_asking(minutes: float | None, kept: float | None) -> None:
    context = Context(max_minutes=minutes, started=1000.0)
    if minutes is None or kept is None:
        assert context.closing(1.0) == float("inf")
        return
    end = 1000.0 + 60 * minutes
    assert [context.closing(part) for part in (1.0, 0.5, 0.0)] == [end - kept, end - kept / 2, end]


def test_the_loop_ends_at_its_aim(
    talk: Path, settings: Callable[..., Context], tmp_path: Path
) -> None:
    report = distill(talk, settings(tmp_path, max_steps=1, target_recall=0.0))
    assert len(report["exams"]) == 1


def test_what_an_earlier_adapter_had_learnt_is_what_was_written_before_it() -> None:
    corpus = [record(key, "Who?", key) for key in ("q-1", "a1-0001", "a2-0001", "a10-0001")]
    assert [r.id for r in until(corpus, 1, 10)] == ["q-1", "a1-0001"]
    assert [r.id for r in until(corpus, 0, 1)] == ["q-1", "a2-0001", "a10-0001"]
    assert until(corpus, 10, 10) == corpus


def forgot(lost: float, prompts: int | None = None) -> Forgetting:
    asked = len(read_probe()) if prompts is None else prompts
    right = {"right_blind": 1.0, "right_mounted": 1.0 - lost, "accuracy_lost": lost}
    return Forgetting(prompts=asked, **right, kl=0.0, unchanged=1.0)


def test_a_probe_that_was_cut_short_decides_nothing(tmp_path: Path) -> None:
    context = Context(out=str(tmp_path))
    assert past_limits(forgot(0.1, prompts=24), context) == []
    assert len(past_limits(forgot(0.1), context)) == 1


def test_what_was_forgotten_is_brought_back_before_anything_is_refused(
    talk: Path, settings: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [forgot(0.05), forgot(0.025), forgot(0.0125)]
    monkeypatch.setattr("training.forgetting.measure", lambda *_, **__: found.pop(0))
    report = distill(talk, settings(tmp_path, max_steps=2, max_rounds=0))
    assert report["forgetting"]["accuracy_lost"] == report["scores"]["reading_lost"] == 0.0125
    assert report["train"]["steps"] == 6
    told = [w for w in report["warnings"] if "of its answers lost" in w]
    assert sorted(re.findall(r"(\w+): .* (0\.\d+) of", "\n".join(told))) == [
        ("firmly", "0.025"),
        ("gently", "0.050"),
    ]
    folders = ("adapter", "restored-gently/adapter", "restored-firmly/adapter")
    train = next(tmp_path.glob("*/train"))
    learnt = [(train / folder / WEIGHTS).read_bytes() for folder in folders]
    assert len(set(learnt)) == 3
    assert learnt[-1] == (Path(report["nkr"]) / WEIGHTS).read_bytes()


def test_without_time_what_was_forgotten_is_refused(
    talk: Path, settings: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.forgetting.measure", lambda *_, **__: forgot(0.025))
    # Of what is kept of an hour so much is never left.
    monkeypatch.setattr("graphs.distill.nodes.restore.AGAIN", 1000.0)
    with pytest.raises(InputError, match=r"0\.025 of its answers lost"):
        distill(talk, settings(tmp_path, max_steps=2, max_rounds=0, max_minutes=60.0))
    assert not list(tmp_path.glob("*/train/restored-*"))


def test_what_was_forgotten_is_not_made_good_by_part_of_the_probe(
    talk: Path, settings: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [forgot(0.05), forgot(0.0, prompts=48)]
    monkeypatch.setattr("training.forgetting.measure", lambda *_, **__: found.pop(0))
    with pytest.raises(InputError, match=r"0\.050 of its answers lost"):
        distill(talk, settings(tmp_path, max_steps=2, max_rounds=0))


def test_a_probe_that_was_cut_short_is_told_and_can_be_asked_later(
    talk: Path, settings: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.forgetting.measure", lambda *_, **__: forgot(0.1, prompts=24))
    told: list[Event] = []
    report = distill(talk, settings(tmp_path, max_steps=1, max_rounds=0), show=told.append)
    last = [event for event in told if event.get("stage") == "restore"][-1]
    assert (last["done"], last["total"]) == (24, 24)
    assert (report["skipped"], report["cut_short"]) == (["restore"], True)
    assert any("probe was cut short" in warning for warning in report["warnings"])


def test_a_rounds_lesson_keeps_what_a_teacher_reads() -> None:
    old = [record(f"q-{n}", f"Who {n}?", "Marta") for n in range(9000)]
    told = record("d-1", "Describe it.", "One.", kind="description", form="statement/plain")
    new = record("a1-1", "Who is it?", "Marta")
    assert told in lesson([*old, told, new], 1, 0, described=True)
    assert len(lesson([*old, told, new], 1, 0)) < 4000
