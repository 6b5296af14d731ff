"""Another server that generates: the router asks it as it would ask the model itself."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from test_server import LAMP, Served, asked

from graphs.desk import Desk, Settings
from graphs.server.app import create_app
from training.errors import EngineError
from training.remote import RemoteEngine

pytest_plugins = ("tiny_nkr", "tiny_library")


class Engine(Served):
    """A server that says to each model what it is told to, and keeps what it was asked."""

    def __init__(self, says: dict[str, str]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.sure = True
        app = FastAPI()
        app.state.asking = self

        @app.get("/v1/models")
        async def models() -> dict[str, Any]:
            return {"object": "list", "data": []}

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> Any:
            body = await request.json()
            self.asked.append(body)
            if body["model"] not in says:
                return JSONResponse({"error": {"message": "no such adapter"}}, 404)
            text = says[body["model"]]
            token = {"token": text, "logprob": math.log(0.5), "top_logprobs": []}
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            if self.sure:
                choice["logprobs"] = {"content": [token, token]}
            head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
            return {**head, "choices": [choice]}

        super().__init__(app)

    def close(self) -> None:
        """What `Served` closes."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    # An adapter says its moments, which nobody is told; what the backbone says is its own.
    served = Engine({LAMP: "[00:00] The Lamp", "tiny": "[00:10] red"})
    yield served
    served.stop()


def test_the_router_asks_the_engine_for_each_nkr_by_its_folders_name(
    engine: Engine, library_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = replace(library_settings, engine_url=f"{engine.url}/v1")
    desk = Desk(remote)
    for module in ("graphs.routing.nodes", "graphs.routing.rewatch"):
        monkeypatch.setattr(f"{module}.open_desk", lambda _: desk)
    served = Served(create_app(desk))
    found = served.post(asked("What is the title at 00:05?")).json()
    assert found["choices"][0]["message"]["content"] == "The Lamp"
    assert found["nkr"]["confidence"] == pytest.approx(0.9027)
    assert {body["model"] for body in engine.asked} == {LAMP}
    assert all(body["temperature"] == 0 and body["logprobs"] for body in engine.asked)
    assert len(engine.asked) == 4, "the question and its rewordings"
    missing = served.post(asked("What is the title at 00:05?", "harbour-22222222"))
    assert missing.status_code == 400
    assert "no such adapter" in missing.json()["error"]["message"]
    served.stop()
    desk.close()


def test_the_bare_backbone_is_asked_by_its_own_name(engine: Engine) -> None:
    remote = RemoteEngine(f"{engine.url}/v1", name="tiny", tokenizer=None)
    (answer,) = remote.of(None).answer(["Which colour?"], context="It is red.")
    assert (answer.text, answer.tokens) == ("[00:10] red", 2)
    assert engine.asked[0]["messages"][0]["content"] == "It is red.\n\nWhich colour?"
    remote.close()


def test_an_engine_that_does_not_tell_how_sure_it_is_is_told(engine: Engine) -> None:
    engine.sure = False
    remote = RemoteEngine(f"{engine.url}/v1", name="tiny", tokenizer=None)
    with pytest.raises(EngineError, match="log-probabilities"):
        remote.of(None).answer(["Which colour?"])
    engine.stop()
    with pytest.raises(EngineError, match="does not answer"):
        remote.of(None).answer(["Which colour?"])
    remote.close()


def test_an_engine_that_is_not_there_is_told() -> None:
    with pytest.raises(EngineError, match="does not answer"):
        RemoteEngine("http://127.0.0.1:9/v1", name="tiny", tokenizer=None)
