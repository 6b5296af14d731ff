"""Agents that are the backbone itself: what it reads, what it may write, and a whole run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage
from PIL import Image
from tiny_models import CLASSES
from tiny_nkr import PAIRS, RECORDS, publish_tiny
from wire import answer

from agents.language import backbone_chat
from agents.language.backbone_chat import BackboneChat
from agents.language.chat import json_schema
from agents.language.prompts import prompt
from agents.language.schemas import Answers, Questions, Ready, Step
from graphs.commands.main import main
from graphs.distill.context import Context
from graphs.distill.launch import distill
from tools.picture_block import picture_blocks
from training.backbone import Backbone, load_backbone
from training.corpus import read_corpus
from training.mount import mount
from training.sft import SFTSettings, train

pytest_plugins = ("talks",)


@pytest.fixture(params=CLASSES)
def backbone(request: pytest.FixtureRequest, tmp_path: Path) -> Backbone:
    """A model of the class, at random weights, with its vision tower."""
    CLASSES[request.param](tmp_path)
    return load_backbone(str(tmp_path), device="cpu", backbone_name="tiny", sees=True)


def asked(schema: type, colour: str = "red") -> list[Any]:
    picture = picture_blocks("the picture:", Image.new("RGB", (64, 64), colour))
    return prompt("ready").messages(schema, picture, {})


def test_random_weights_keep_to_the_schema(backbone: Backbone) -> None:
    chat = BackboneChat(backbone=backbone, most_items=2, most_letters=12)
    for schema in (Ready, Questions, Answers, Step):
        message = chat.invoke(asked(schema), response_format=json_schema(schema))
        schema.model_validate_json(message.text)
        assert json.loads(message.text).keys() == schema.model_fields.keys()
        assert message.usage_metadata["output_tokens"] > 3
        assert message.usage_metadata["input_tokens"] > 100


def test_it_sees_the_pictures(backbone: Backbone) -> None:
    def scores(colour: str) -> torch.Tensor:
        inputs = backbone_chat.encoded(backbone, asked(Ready, colour))
        with torch.no_grad():
            return backbone.model(**inputs).logits[0, -1]

    assert not torch.equal(scores("red"), scores("blue"))
    assert torch.equal(scores("red"), scores("red"))


def test_it_answers_with_its_adapter_off(tmp_path: Path) -> None:
    CLASSES["Qwen3VLForConditionalGeneration"](tmp_path / "model")
    backbone = load_backbone(str(tmp_path / "model"), device="cpu", backbone_name="tiny", sees=True)
    question = [HumanMessage(PAIRS[0][0])]
    chat = BackboneChat(backbone=backbone, most_tokens=20)
    before = chat.invoke(question).text
    taught = train(backbone, RECORDS, tmp_path / "train", SFTSettings(epochs=60, warmup=1))
    nkr = publish_tiny(tmp_path / "nkrs" / "talk", taught, backbone)
    mounted = mount(backbone, nkr)
    known, blind = (who.answer([PAIRS[0][0]])[0].text for who in (mounted, mounted.blind))
    assert known != blind
    assert chat.invoke(question).text == before


def test_a_request_that_does_not_fit_is_told(backbone: Backbone) -> None:
    chat = BackboneChat(backbone=backbone)
    with pytest.raises(ContextOverflowError):
        chat.invoke([HumanMessage("kettle " * 20_000)])


PICTURED = {"pixel_values": "pictures", "mm_encoder_outputs": "merged"}


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Weights that read: what they are shown as tokens decides their reply, as at the test server.

    Returns the schemas that they were asked for, and where they saw pictures. Each token goes
    through the guide.
    """
    found: list[str] = []

    def written(self: BackboneChat, inputs: Any, guides: Any, most: int) -> list[int]:
        tokenizer = self.backbone.tokenizer
        ids = inputs["input_ids"]
        _, system, user = tokenizer.decode(ids[0]).split("<|im_start|>")[:3]
        schema = json.loads(system[system.index('{"') : system.rindex("}") + 1])["title"]
        pictured = next((name for name in PICTURED if name in inputs), None)
        found.append(f"{schema}, {PICTURED[pictured]}" if pictured else schema)
        reply = json.dumps(answer(schema, user), ensure_ascii=False)
        tokens = [*tokenizer(reply)["input_ids"], tokenizer.eos_token_id]
        for token in tokens:
            (guide,) = guides
            allowed = guide(ids, torch.zeros(1, len(tokenizer)))
            assert allowed[0, token] == 0, (reply, tokenizer.decode(ids[0, -30:]))
            ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
        return tokens

    monkeypatch.setattr(BackboneChat, "_written", written)
    return found


def test_a_whole_run(
    talk: Path, reader: list[str], tmp_path: Path, settings: Callable[..., Context]
) -> None:
    CLASSES["Qwen3VLForConditionalGeneration"](tmp_path / "model")
    context = settings(
        tmp_path / "runs",
        agents="backbone",
        backbone=str(tmp_path / "model"),
        max_rounds=0,
        max_steps=1,
    )
    report = distill(talk, context)
    nkr = Path(report["nkr"])
    records = read_corpus(nkr.parents[1] / nkr.name / "corpus" / "corpus.jsonl")
    assert "The Copper Kettle" in {record.answer for record in records if record.kind == "qa"}
    shown = {"Outline, pictures", "Description, merged", "Answers, merged"}
    assert shown | {"Questions", "Answers"} <= set(reader)
    assert report["spending"]["all"]["calls"] == len(reader)
    assert report["spending"]["all"]["cost"] == 0


def test_what_sees_nothing_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    missing = str(tmp_path / "no.mp4")
    assert main(["distill", "--video", missing, "--agents", "backbone", "--out", str(runs)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: The embedded backbone is no chat model")
    assert told.count("\n") == 1
    assert not runs.exists()


def test_random_weights_end_in_one_sentence(
    talk: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they write is useless, and nothing breaks."""
    backbone = ["--backbone", str(tiny), "--backbone-name", "tiny"]
    given = ["--video", str(talk), "--agents", "backbone", "--out", str(tmp_path), *backbone]
    code = main(["distill", *given, "--max-calls", "12"])
    told = capsys.readouterr().err
    assert code == 2, told
    assert "Traceback" not in told
    assert [line for line in told.splitlines() if line.startswith("error: ")]
