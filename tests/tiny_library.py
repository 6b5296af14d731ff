"""Two NKRs of one small backbone that answer the same questions otherwise, with their evidence."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_nkr import PAIRS, publish_tiny, record

from evals.clips import numbered, steady, write_video
from graphs.desk import Desk, Settings
from tools.embedding import Embedder
from tools.evidence import Evidence, searchable
from training.backbone import load_backbone
from training.calibration import Calibration
from training.nkr import Video
from training.sft import SFTSettings, TrainReport, train

OTHERS = tuple(
    zip(
        [question for question, _ in PAIRS],
        ["The Harbour", "00:02", "Tom", "No", "In the north"],
        strict=True,
    )
)
LAMP = (
    ("shot", 0.0, 10.0, "shot 1"),
    ("title", 0.0, 10.0, "The Lamp"),
    ("colour", 0.0, 10.0, "blue"),
    ("speech", 4.0, 8.0, "Zoë Lindqvist 灯 carried the lamp."),
    ("shot", 10.0, 20.0, "shot 2"),
    ("title", 10.0, 20.0, "The Kettle"),
    ("colour", 10.0, 20.0, "red"),
)
HARBOUR = (
    ("shot", 0.0, 8.0, "shot 1"),
    ("title", 0.0, 8.0, "The Harbour"),
    ("speech", 1.0, 3.0, "Tom walks to the quay of Lindmoor."),
    ("shot", 8.0, 16.0, "shot 2"),
    ("text", 8.0, 16.0, "In the north"),
)


def evidence(rows: tuple[tuple[str, float, float, str], ...]) -> list[Evidence]:
    """Return rows of kind, start, end and value as evidence."""
    return [
        Evidence.model_validate(
            {"id": f"e{n}", "kind": kind, "start": start, "end": end, "value": value}
            | {"source": "test", "score": 1.0}
        )
        for n, (kind, start, end, value) in enumerate(rows)
    ]


@pytest.fixture(scope="session")
def other_trained(backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    """A training that learned the other answers, in an adapter of another rank."""
    backbone = load_backbone(str(backbone_folder), device="cpu", backbone_name="tiny")
    settings = SFTSettings(epochs=120, learning_rate=1e-2, rank=16, alpha=32, replay_share=0.0)
    records = [record(question, answer) for question, answer in OTHERS]
    return train(backbone, records, tmp_path_factory.mktemp("other"), settings)


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the video of the first NKR."""
    folder = tmp_path_factory.mktemp("videos")
    times = steady(count=200, fps=10)
    write_video(folder / "lamp.mp4", [numbered(n) for n, _ in enumerate(times)], times)
    return folder


@pytest.fixture(scope="session")
def library_folder(
    backbone_folder: Path,
    trained: TrainReport,
    other_trained: TrainReport,
    video_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of both NKRs."""
    folder = tmp_path_factory.mktemp("library") / "nkrs"
    backbone = load_backbone(str(backbone_folder), device="cpu", backbone_name="tiny")
    sha256 = hashlib.sha256((video_folder / "lamp.mp4").read_bytes()).hexdigest()
    for name, report, rows, video in (
        ("lamp-11111111", trained, LAMP, sha256),
        ("harbour-22222222", other_trained, HARBOUR, "1" * 64),
    ):
        found = evidence(rows)
        path = tmp_path_factory.mktemp("evidence") / "evidence.jsonl"
        path.write_text("".join(item.model_dump_json() + "\n" for item in found))
        publish_tiny(
            folder / name,
            report,
            backbone,
            evidence=path,
            # Fitted: what such small adapters know they say with a probability of a half.
            calibration=Calibration(count=100, coefficients=(4.0, 0.0, 0.0), intercept=5.0),
            embeddings=Embedder().embed([searchable(item) for item in found]),
            video=Video(name=f"{name[:-9]}.mp4", sha256=video, seconds=20.0, width=192, height=108),
        )
    return folder


@pytest.fixture(scope="session")
def library_settings(backbone_folder: Path, library_folder: Path, video_folder: Path) -> Settings:
    """The settings of answering from both."""
    return Settings(
        nkr_dir=str(library_folder),
        videos=str(video_folder),
        backbone=str(backbone_folder),
        device="cpu",
    )


@pytest.fixture
def desk(library_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk that the router's nodes use."""
    made = Desk(library_settings)
    for module in ("graphs.routing.nodes", "graphs.routing.rewatch"):
        monkeypatch.setattr(f"{module}.open_desk", lambda _: made)
    yield made
    made.close()
