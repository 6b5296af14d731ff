"""A single question's answer from a cache of fixed size is what transformers' own loop writes."""

import pytest
from tiny_models import CLASSES
from tiny_nkr import PAIRS
from transformers import GenerationConfig

from training import decoder
from training.backbone import Backbone, load_backbone
from training.decoder import Decoder, Replays, is_plain
from training.generate import MAX_NEW_TOKENS, Generator
from training.prompt import prompt

QUESTIONS = [question for question, _ in PAIRS]


@pytest.fixture(scope="module", params=CLASSES)
def writer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """A model of the class with random weights."""
    folder = tmp_path_factory.mktemp("model")
    CLASSES[request.param](folder)
    return load_backbone(str(folder), device="cpu", backbone_name="tiny")


def _encoded(backbone: Backbone, question: str) -> list[int]:
    text = prompt(backbone.processor, question)
    found: list[int] = backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def test_it_writes_what_transformers_writes(writer: Backbone) -> None:
    config = writer.model.generation_config
    ends = [config.eos_token_id] if isinstance(config.eos_token_id, int) else config.eos_token_id
    ours = Decoder(writer.model, 400)
    # One after the other: nothing of a question stays in the cache.
    for question, told in zip(QUESTIONS, Generator(writer).answer(QUESTIONS), strict=True):
        tokens, logprobs = ours.write(_encoded(writer, question), MAX_NEW_TOKENS, ends)
        assert writer.tokenizer.decode(tokens, skip_special_tokens=True).strip() == told.text
        assert len(tokens) == len(logprobs) == told.tokens
        assert sum(logprobs) / len(logprobs) == pytest.approx(told.logprob, abs=1e-3)


def test_it_ends_with_an_end_or_when_it_has_enough(writer: Backbone) -> None:
    ours = Decoder(writer.model, 100)
    prompted = _encoded(writer, "Who?")
    whole, _ = ours.write(prompted, 6, ())
    assert len(whole) == 6
    third = whole.index(whole[2])
    assert ours.write(prompted, 6, (whole[2],))[0] == whole[: third + 1]


def test_a_second_question_is_worth_a_graph_and_a_new_layout_needs_another(
    writer: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    class Noted(Decoder):
        def __init__(self, model: object, room: int) -> None:
            made.append(room)
            super().__init__(model, room)

    monkeypatch.setattr(decoder, "Decoder", Noted)
    monkeypatch.setattr(decoder, "ROOM", 64)
    replays = Replays(writer.model)
    prompted = _encoded(writer, "Who?")
    assert replays.write(prompted, 4, (), layout=1) is None
    assert replays.write(prompted, 4, (), layout=1) == replays.write(prompted, 4, (), layout=1)
    assert made == [64]
    assert replays.write(prompted, 4, (), layout=2) is None
    assert replays.write(prompted, 4, (), layout=2) is not None
    assert made == [64, 64]
    assert replays.write(prompted, 64, (), layout=2) is None, "no room for so many"


def test_a_model_that_cannot_be_captured_answers_itself(
    writer: Backbone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(decoder, "Decoder", fails)
    replays = Replays(writer.model)
    assert [replays.write([5, 6], 4, (), layout=0) for _ in range(3)] == [None] * 3
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]


def test_an_answer_that_is_not_the_models_own_is_never_given(
    writer: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The captured way on a CPU, where nothing is captured; then one that writes otherwise."""
    plain = Generator(writer).answer(QUESTIONS[:1])
    for wrong in (False, True):
        asked = Generator(writer)
        asked._replays = Replays(writer.model)
        if wrong:
            monkeypatch.setattr(Decoder, "write", lambda self, *given: ([7, 8], [-0.1, -0.1]))
        for _ in range(4):
            (told,) = asked.answer(QUESTIONS[:1])
            assert told.text == plain[0].text
            assert told.logprob == pytest.approx(plain[0].logprob, abs=1e-3)
        assert asked._replays.believed == (not wrong)


def test_settings_that_change_what_is_likeliest_are_left_to_transformers() -> None:
    assert is_plain(GenerationConfig())
    assert is_plain(GenerationConfig(repetition_penalty=1.0, temperature=0.1, top_p=0.001))
    assert not is_plain(GenerationConfig(repetition_penalty=1.05))
    assert not is_plain(GenerationConfig(suppress_tokens=[5]))
