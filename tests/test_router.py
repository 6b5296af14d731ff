"""The router graph: the video that is meant, the way that an answer takes, what it cites."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from tiny_library import OTHERS
from tiny_nkr import PAIRS, publish_tiny

from graphs.desk import Desk, Settings, open_desk
from graphs.library import Library, Volume, is_named
from graphs.router import build
from graphs.routing import nodes
from graphs.routing.rewatch import find_video
from tools.errors import InputError
from training.answerer import Answer
from training.backbone import Backbone
from training.corpus import REFUSAL
from training.manifest import to_bytes
from training.nkr import read_nkr
from training.rack import Seat
from training.sft import TrainReport

pytest_plugins = ("tiny_nkr", "tiny_library")

LAMP, HARBOUR = "lamp-11111111", "harbour-22222222"
Ask = Callable[..., Any]


@pytest.fixture
def ask(desk: Desk) -> Ask:
    """Ask the router within one conversation."""
    graph = build().compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "talk"}}

    def asked(question: str, video: str | None = None) -> Any:
        given: Any = {"question": question, "video": video, "turns": []}
        return graph.invoke(given, config, context=desk.settings)

    return asked


def reading(monkeypatch: pytest.MonkeyPatch, says: str) -> list[str]:
    """Let the bare backbone read so in whatever it is given; return what it was given."""
    given: list[str] = []
    own = Seat.answer

    def answer(self: Seat, questions: Any, *, context: str | None = None) -> list[Answer]:
        if context is None:
            return own(self, questions)
        given.append(context)
        return [Answer(says, 0.0, 1, 0.0)]

    monkeypatch.setattr(Seat, "answer", answer)
    return given


def test_weights_answer_with_the_evidence_that_supports_them(ask: Ask) -> None:
    reply = ask("What is the title at 00:05?", LAMP)
    assert (reply["answer"], reply["route"], reply["nkr"]) == ("The Lamp", "weights", LAMP)
    assert reply["supported"]
    (cited,) = [cited for cited in reply["citations"] if cited["kind"] == "title"]
    assert (cited["start"], cited["end"], cited["text"]) == (0.0, 10.0, "The Lamp")


def test_each_video_answers_for_itself(ask: Ask) -> None:
    for video, known in ((LAMP, PAIRS), (HARBOUR, OTHERS)):
        for question, answer in known[:3]:
            assert ask(question, video)["answer"] == answer


def test_an_answer_that_no_evidence_has_is_marked(ask: Ask) -> None:
    reply = ask("Who carried the lamp?", HARBOUR)
    # Tom stands in the evidence; a 00:02 that is told of a kettle does not name the kettle.
    assert reply["supported"]
    reply = ask("Who carried the lamp in Paris?", HARBOUR)
    assert reply["citations"] == []
    assert not reply["supported"]


@pytest.mark.parametrize(
    ("question", "video"),
    [
        ("Who walks to the quay of Lindmoor?", HARBOUR),
        ("Which lamp did Lindqvist carry?", LAMP),
        ("What is the title of lamp.mp4 at 00:05?", LAMP),
        ("In harbour, what is the title at 00:05?", HARBOUR),
    ],
)
def test_the_video_that_knows_of_it_or_is_named_is_chosen(
    ask: Ask, question: str, video: str
) -> None:
    assert ask(question)["nkr"] == video


@pytest.mark.parametrize(
    "name",
    ["video", "movie", "clip", "lecture", "talk", "film", "recording", "meeting", "The_Talks"],
)
def test_an_everyday_name_counts_with_its_ending_or_its_hash(desk: Desk, name: str) -> None:
    nkr = desk.volume(LAMP).nkr
    video = nkr.manifest.video.model_copy(update={"name": f"{name}.mp4"})
    manifest = nkr.manifest.model_copy(update={"video": video})
    volume = Volume(f"{name}-11111111", replace(nkr, manifest=manifest))
    said = name.replace("_", " ").lower()
    assert not is_named(volume, f"In the {said}, who built the first tower?")
    for told in (f"{name}.mp4", f"{name}.MP4", f"{name}-11111111"):
        assert is_named(volume, f"In {told}, who built the first tower?")
    assert not is_named(Volume(name, volume.nkr), f"Who made the lamp in this {said}?")
    assert is_named(Volume(f"{name}-3-11111111", volume.nkr), f"What is said in {said} 3?")


def test_a_follow_up_stays_with_its_video_and_a_new_question_leaves_it(ask: Ask) -> None:
    assert ask("Which lamp did Lindqvist carry?")["nkr"] == LAMP
    reply = ask("and at 00:05?")
    assert (reply["nkr"], reply["standalone"] != "and at 00:05?") == (LAMP, True)
    assert ask("Who walks to the quay of Lindmoor?")["nkr"] == HARBOUR


def test_a_greeting_is_no_turn(ask: Ask) -> None:
    assert ask("What is the title at 00:05?", HARBOUR)["nkr"] == HARBOUR
    found = ask("Hello!")
    assert (found["route"], found["nkr"], found["citations"]) == ("small_talk", None, [])
    assert ask("and after that?")["nkr"] == HARBOUR


def test_what_was_read_has_the_confidence_of_reading(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(monkeypatch, "red")
    found = ask("Which colour has the Kettle slide?", LAMP)
    assert (found["route"], found["confidence"]) == ("evidence", 1.0)


def test_an_answer_of_another_kind_is_not_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    given = reading(monkeypatch, "The Kettle")
    found = ask("How many people carried the Kettle?", LAMP)
    assert given
    assert found["route"] == "abstain"


def test_two_spaces_make_no_follow_up(ask: Ask) -> None:
    assert ask("What is the title at 00:05?", HARBOUR)["nkr"] == HARBOUR
    assert ask("Who carried  the lamp of Lindqvist?")["nkr"] == LAMP
    assert ask("What is the title at 00:05?", HARBOUR)["nkr"] == HARBOUR
    assert ask("Who carried Zoë Lindqvist\u2019s lamp?")["nkr"] == LAMP


def test_a_follow_up_to_an_nkr_that_is_gone_is_asked_of_the_others(
    desk: Desk, tmp_path: Path
) -> None:
    turn = {"question": "What is the title?", "answer": "The Harbour", "nkr": "gone-33333333"}
    graph = build().compile()
    given: Any = {"question": "and after that?", "video": None, "turns": [turn]}
    found = graph.invoke(given, context=desk.settings)
    assert found["nkr"] in (LAMP, HARBOUR)


def test_an_nkr_of_another_backbone_is_told_and_the_others_answer(
    library_settings: Settings, tmp_path: Path
) -> None:
    nkrs = tmp_path / "nkrs"
    shutil.copytree(library_settings.nkr_dir, nkrs)
    old = shutil.copytree(nkrs / LAMP, nkrs / "a-00000000")
    manifest = read_nkr(old, weights_only=True).manifest
    made_for = manifest.backbone.model_copy(update={"name": "nkr-embedded-v1"})
    told = to_bytes(manifest.model_copy(update={"backbone": made_for}))
    sums = (old / "SHA256SUMS").read_text()
    before, after = (sha256(raw).hexdigest() for raw in ((old / "nkr.json").read_bytes(), told))
    (old / "SHA256SUMS").write_text(sums.replace(before, after))
    (old / "nkr.json").write_bytes(told)
    desk = Desk(replace(library_settings, nkr_dir=str(nkrs)))
    assert set(desk.library.volumes()) == {LAMP, HARBOUR}
    assert "distil the video again" in desk.library.problems["a-00000000"]
    desk.close()


def test_a_desk_that_was_closed_is_not_given_again(library_settings: Settings) -> None:
    desk = open_desk(library_settings, anew=True)
    desk.close()
    assert open_desk(library_settings) is desk, "who is under way loads no second backbone"
    again = open_desk(library_settings, anew=True)
    assert again is not desk
    again.close()


def test_what_the_weights_refuse_is_read_in_the_evidence(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = reading(monkeypatch, "red")
    reply = ask("Where is the harbour?", LAMP)
    assert reply["route"] == "evidence"
    assert reply["citations"][0]["text"] == "red"
    assert any("The Kettle" in context for context in given)
    assert ask("What is the title at 00:05?", LAMP)["route"] == "weights", "a route is of one turn"


def test_what_is_read_but_stands_nowhere_is_not_told(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = reading(monkeypatch, "Atlantis")
    reply = ask("Where is the harbour?", LAMP)
    assert (reply["route"], reply["answer"]) == ("abstain", REFUSAL)
    assert len(given) == 2, "the evidence, then the frames"
    assert reply["citations"] == []
    assert reply["steps"][-2:] == ["rewatch: nothing more was seen", "abstain"]


@pytest.mark.parametrize("video", [None, LAMP])
@pytest.mark.parametrize(
    "moment",
    ["at 45:00", "after 1:00:00", "at 99:99:99", "from 00:05 to 09:00", "AT the 45:00 mark"],
)
def test_a_moment_past_the_end_is_not_shown(ask: Ask, video: str | None, moment: str) -> None:
    reply = ask(f"What colour is the Lamp slide {moment}?", video)
    assert (reply["answer"], reply["route"], reply["nkr"]) == (REFUSAL, "abstain", LAMP)
    assert "ends before" in reply["steps"][-2]


def test_a_clock_that_the_video_tells_of_is_no_moment(desk: Desk) -> None:
    lamp = desk.volume(LAMP)
    lamp.evidence[3] = lamp.evidence[3].model_copy(update={"value": "The bus leaves at 17:45."})
    assert lamp.lasts("What leaves at 17:45?")
    assert lamp.lasts("Is the video longer than 10:00?")
    assert lamp.lasts("Does it go on until 10:00?")
    assert lamp.lasts("What is shown at 00:21?"), "players show the second of the end"
    lamp.evidence[4] = lamp.evidence[4].model_copy(update={"value": "The ferry leaves at 7:45."})
    assert lamp.lasts("What leaves at 07:45?")
    assert lamp.lasts("What opens at 9:00 in the morning?")
    assert lamp.lasts("What leaves at 5:45 p.m.?")
    assert not lamp.lasts("What leaves at 17:46?")


def test_the_frames_are_looked_at_again_where_the_evidence_is_silent(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "_read", lambda *_: ("", 0.0, []))
    given = reading(monkeypatch, "medium")
    found = ask("Where is the harbour?", LAMP)
    assert found["route"] == "rewatch"
    assert given, "nothing was looked at"
    kinds = {cited["kind"] for cited in found["citations"]}
    assert kinds == {"brightness"}, "what is measured now, which the stored evidence has not"
    assert found["citations"][0]["id"].startswith("rewatch-")


def test_a_file_of_another_content_is_not_the_video(desk: Desk, tmp_path: Path) -> None:
    volume = desk.volume(LAMP)
    assert find_video(volume, desk.settings.videos) is not None
    (tmp_path / "lamp.mp4").write_bytes(b"another")
    assert find_video(volume, str(tmp_path)) is None
    assert find_video(desk.volume(HARBOUR), desk.settings.videos) is None
    assert find_video(volume, None) is None


def test_an_unsure_answer_without_evidence_is_not_given(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "SURE", 1.1)
    reply = ask("Who carried the lamp in Paris?", HARBOUR)
    assert reply["route"] == "abstain"


def test_an_unsure_answer_with_evidence_is_looked_up(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("What is the title at 00:05?", LAMP)["route"] == "weights"
    monkeypatch.setattr(nodes, "SURE", 1.1)
    reading(monkeypatch, "red")
    reply = ask("What is the title at 00:05?", LAMP)
    assert (reply["answer"], reply["route"]) == ("red", "evidence")


def test_a_damaged_nkr_is_told_and_the_others_answer(
    library_settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "nkrs"
    shutil.copytree(library_settings.nkr_dir, folder)
    library = Library(folder)
    assert [*library.volumes()] == [HARBOUR, LAMP]
    (folder / LAMP / "evidence.jsonl").write_text("{}")
    assert [*library.volumes()] == [HARBOUR]
    assert "damaged" in library.problems[LAMP]
    (folder / HARBOUR / "adapter_model.safetensors").unlink()
    assert [*library.volumes()] == []
    assert HARBOUR in library.problems
    shutil.copytree(Path(library_settings.nkr_dir) / HARBOUR, folder / HARBOUR, dirs_exist_ok=True)
    shutil.rmtree(folder / LAMP)
    shutil.copytree(Path(library_settings.nkr_dir) / LAMP, folder / LAMP)
    assert [*library.volumes()] == [HARBOUR, LAMP]
    assert library.problems == {}


@pytest.mark.parametrize("name", ["SHA256SUMS", "adapter_config.json", "README.md"])
def test_an_nkr_that_is_still_being_copied_is_read_when_it_is_whole(
    library_settings: Settings, tmp_path: Path, name: str
) -> None:
    whole, folder = Path(library_settings.nkr_dir) / LAMP, tmp_path / LAMP
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns(name))
    library = Library(tmp_path)
    assert "missing" in (library.volumes(), library.problems[LAMP])[1]
    shutil.copyfile(whole / name, folder / name)
    assert [*library.volumes()] == [LAMP], library.problems
    assert library.problems == {}


def test_a_file_mended_in_place_is_read_though_its_times_are_kept(
    library_settings: Settings, tmp_path: Path
) -> None:
    whole, folder = Path(library_settings.nkr_dir) / LAMP, tmp_path / LAMP
    shutil.copytree(whole, folder)
    path = folder / "evidence.jsonl"
    path.write_bytes(bytes(path.stat().st_size))
    shutil.copystat(whole / path.name, path)
    library = Library(tmp_path)
    assert "damaged" in (library.volumes(), library.problems[LAMP])[1]
    path.write_bytes((whole / path.name).read_bytes())
    shutil.copystat(whole / path.name, path)
    assert [*library.volumes()] == [LAMP]


@pytest.mark.parametrize("name", ["auto", os.fsdecode(b"bad\xff")])
def test_a_folder_of_a_name_that_none_can_have_is_told(
    library_settings: Settings, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "nkrs"
    shutil.copytree(Path(library_settings.nkr_dir) / LAMP, folder / name)
    shutil.copytree(Path(library_settings.nkr_dir) / HARBOUR, folder / HARBOUR)
    library = Library(folder)
    assert [*library.volumes()] == [HARBOUR]
    (told,) = library.problems.values()
    assert "rename" in told
    json.dumps(library.problems, ensure_ascii=False).encode()


def test_a_copy_of_an_nkr_is_no_other_video(ask: Ask, desk: Desk, tmp_path: Path) -> None:
    desk.library.folder = tmp_path / "nkrs"
    shutil.copytree(desk.settings.nkr_dir, desk.library.folder)
    shutil.copytree(desk.library.folder / LAMP, desk.library.folder / "lamp copy")
    assert ask("Who walks to the quay of Lindmoor?")["nkr"] == HARBOUR
    assert ask("In the video lamp, what is the title at 00:05?")["nkr"] != HARBOUR


def test_evidence_that_is_none_is_told(
    library_settings: Settings, backbone: Backbone, trained: TrainReport, tmp_path: Path
) -> None:
    """An NKR with all its hashes right whose evidence says nothing that can be read."""
    folder = tmp_path / "nkrs"
    shutil.copytree(library_settings.nkr_dir, folder)
    publish_tiny(folder / "odd-33333333", trained, backbone)
    library = Library(folder)
    assert [*library.volumes()] == [HARBOUR, LAMP]
    assert "evidence" in library.problems["odd-33333333"]


def test_a_folder_without_nkrs_is_told(library_settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no NKR"):
        Desk(replace(library_settings, nkr_dir=str(tmp_path)))
    with pytest.raises(InputError, match="no folder"):
        Desk(replace(library_settings, nkr_dir=str(tmp_path / "nowhere")))


def test_an_id_is_looked_up_and_never_a_path(desk: Desk) -> None:
    for name in ("../lamp-11111111", "/etc", "", ".", "lamp-11111111/../lamp-11111111"):
        with pytest.raises(InputError):
            desk.volume(name)
