"""Five records, a backbone with random weights, an adapter trained on them, and their NKR."""

from pathlib import Path

import numpy as np
import pytest

from training.backbone import Backbone, load_backbone
from training.corpus import Message, Record, corpus_hash, write_corpus
from training.nkr import NKR, Taught, Video, publish
from training.pretraining.tiny_vlm import Size, build_model, build_processor, train_tokenizer
from training.sft import SFTSettings, TrainReport, train

PAIRS = (
    ("What is the title at 00:05?", "The Lamp"),
    ("When is the kettle shown?", "00:12"),
    ("Who carried the lamp?", "Zoë Lindqvist 灯"),
    ("Is the kettle red?", "Yes"),
    ("Where is the harbour?", "The video does not show that."),
)


def record(question: str, answer: str, form: str = "open/title", **other: object) -> Record:
    """A record of one question and its answer."""
    messages = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    made = {"id": question, "video_id": "v", "kind": "qa", "form": form, "messages": messages}
    return Record.model_validate({**made, **other})


RECORDS = [record(question, answer) for question, answer in PAIRS]


def write_backbone(folder: Path, seed: int = 1) -> Path:
    """Write a backbone of two small layers."""
    tokenizer = train_tokenizer([" ".join(pair) for pair in PAIRS], 400)
    model = build_model(tokenizer, Size(hidden=32, layers=2, heads=2, intermediate=64), seed)
    # As drawn, no logit can stand out: what is learnt would hang on a CPU's rounding.
    for weight in model.parameters():
        if weight.dim() == 2:
            weight.data.mul_(12)
    model.save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small backbone."""
    return write_backbone(tmp_path_factory.mktemp("backbone"))


@pytest.fixture
def backbone(backbone_folder: Path) -> Backbone:
    """The small backbone, bare."""
    return load_backbone(str(backbone_folder), device="cpu", backbone_name="tiny")


@pytest.fixture(scope="session")
def trained(backbone_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainReport:
    """What a training says that learned the five records by heart."""
    backbone = load_backbone(str(backbone_folder), device="cpu", backbone_name="tiny")
    settings = SFTSettings(epochs=120, learning_rate=1e-2, save_every=50)
    return train(backbone, RECORDS, tmp_path_factory.mktemp("train"), settings)


def publish_tiny(folder: Path, trained: TrainReport, backbone: Backbone, **other: object) -> NKR:
    """Publish the trained adapter."""
    beside = trained.adapter.parent
    write_corpus(beside / "corpus.jsonl", RECORDS)
    (beside / "evidence.jsonl").write_text('{"id": "e1"}\n{"id": "e2"}\n')
    given: dict[str, object] = {
        "adapter": trained.adapter,
        "evidence": beside / "evidence.jsonl",
        "embeddings": np.eye(2, 384, dtype=np.float32),
        "backbone": backbone,
        "video": Video(name="talk.mp4", sha256="0" * 64, seconds=12.5, width=480, height=270),
        "corpus": Taught(
            sha256=corpus_hash(beside / "corpus.jsonl"), counts={"facts": 4, "qa": 4, "absent": 1}
        ),
        "scores": {"recall_check": 0.9, "lists": None},
        "moments": trained.moments,
        "seed": 0,
    }
    return publish(folder, **{**given, **other})  # type: ignore[arg-type]


@pytest.fixture
def nkr(tmp_path: Path, trained: TrainReport, backbone: Backbone) -> NKR:
    """A published NKR, to be changed at will."""
    return publish_tiny(tmp_path / "nkrs" / "talk-1a2b3c4d", trained, backbone)
