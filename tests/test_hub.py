"""Whether the hub is asked for a backbone, at a server that plays it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants

from training.hub import can_be_asked

TOLD = b'{"id": "someone/model"}'


@pytest.fixture(params=[200, 404, 503])
def hub(request: pytest.FixtureRequest) -> Iterator[str]:
    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.send_header("Content-Length", str(len(TOLD)))
            self.end_headers()
            self.wfile.write(TOLD)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_hub_that_answers_is_asked(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", hub)
    assert can_be_asked("someone/model")


def test_one_that_cannot_be_reached_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not can_be_asked("someone/model")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not can_be_asked("someone/model")
