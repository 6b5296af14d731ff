"""The server under real clients: openai, langchain-openai, curl, and those who mean no good."""

import argparse
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from fastapi import FastAPI
from langchain_openai import ChatOpenAI
from tiny_library import OTHERS
from tiny_nkr import PAIRS

from graphs.commands.main import main
from graphs.commands.serve import add_serve, hosts_of, keys_of
from graphs.desk import Desk, Settings
from graphs.server.app import create_app
from graphs.server.asking import Asking
from tools.errors import InputError

pytest_plugins = ("tiny_nkr", "tiny_library")

LAMP, HARBOUR = "lamp-11111111", "harbour-22222222"


class Served:
    """An app on a port of this machine."""

    def __init__(self, app: FastAPI, *, grace: int | None = None) -> None:
        self.asking: Asking = app.state.asking
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=grace
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def post(self, body: Any, **more: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=60, **more)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.asking.close()


@pytest.fixture
def server(desk: Desk) -> Iterator[Served]:
    served = Served(create_app(desk, max_body=60_000))
    yield served
    served.stop()


@pytest.fixture
def client(server: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def talk(*said: str) -> dict[str, Any]:
    """Return a request of one NKR from roles and what they say, in turn."""
    turns = zip(said[::2], said[1::2], strict=True)
    return {"model": LAMP, "messages": [{"role": role, "content": text} for role, text in turns]}


def asked(question: Any, model: str = LAMP, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": question}], **more}


def test_every_nkr_is_a_model_beside_auto(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["auto", HARBOUR, LAMP]
    assert client.models.retrieve(LAMP).owned_by == "nkr"
    assert client.models.retrieve("auto").id == "auto"
    with pytest.raises(openai.NotFoundError, match="no model"):
        client.models.retrieve("nobody")


def test_the_openai_package_gets_answers_with_usage_and_citations(client: openai.OpenAI) -> None:
    for model, known in ((LAMP, PAIRS), (HARBOUR, OTHERS)):
        question, answer = known[0]
        found = client.chat.completions.create(**asked(question, model))
        assert found.choices[0].message.content == answer
        assert found.choices[0].finish_reason == "stop"
        assert found.usage is not None
        total = found.usage.prompt_tokens + found.usage.completion_tokens
        assert found.usage.total_tokens == total > found.usage.completion_tokens > 0
        told = found.model_extra["nkr"]  # type: ignore[index]
        assert (told["route"], told["nkr"], told["supported"]) == ("weights", model, True)
        assert told["citations"][0]["text"] == answer


def test_auto_lets_the_router_choose(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(**asked("Who walks to the quay of Lindmoor?", "auto"))
    assert found.model_extra["nkr"]["nkr"] == HARBOUR  # type: ignore[index]


@pytest.mark.parametrize(
    ("first", "video"),
    [
        ("Which lamp did Lindqvist carry?", LAMP),
        ("Who walks to the quay of Lindmoor?", HARBOUR),
        ("In lamp.mp4, what is the title at 00:05?", LAMP),
        ("In harbour.mp4, what is the title at 00:05?", HARBOUR),
    ],
)
def test_auto_stays_with_the_conversations_video(server: Served, first: str, video: str) -> None:
    same = ["What is the title at 00:05?", "Hello!", "Which title is shown at 00:02?"] * 4
    said: list[dict[str, str]] = []
    for question in (first, *same, "and at 00:02?"):
        said.append({"role": "user", "content": question})
        reply = server.post({"model": "auto", "messages": said}).json()
        assert reply["nkr"]["nkr"] in (video, None), said
        said.append(reply["choices"][0]["message"])
    assert reply["nkr"]["standalone"] != "and at 00:02?"
    said.append({"role": "user", "content": "Who carried Zoë Lindqvist's lamp?"})
    assert server.post({"model": "auto", "messages": said}).json()["nkr"]["nkr"] == LAMP


@pytest.mark.parametrize(("answer", "video"), [("The Lamp", LAMP), ("The Harbour", HARBOUR)])
def test_auto_goes_on_with_the_video_that_has_the_answer(
    server: Served, answer: str, video: str
) -> None:
    """Where the question alone does not tell which of them it was."""
    turns = talk(
        "user", "What is the title at 00:05?", "assistant", answer, "user", "and at 00:02?"
    )
    reply = server.post({**turns, "model": "auto"}).json()
    assert reply["nkr"]["nkr"] == video


def test_a_stream_says_the_same_in_pieces(client: openai.OpenAI) -> None:
    question, answer = PAIRS[2]
    options: Any = {"include_usage": True}
    stream = client.chat.completions.create(**asked(question, stream=True), stream_options=options)
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == answer
    assert len([piece for piece in pieces if piece]) > 1
    last = [chunk for chunk in chunks if chunk.choices][-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra["nkr"]["citations"]  # type: ignore[index]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_langchain_talks_to_it_with_follow_ups_and_footnotes(server: Served) -> None:
    model = ChatOpenAI(
        model=LAMP,
        base_url=f"{server.url}/v1",
        api_key="none",  # type: ignore[arg-type]
        extra_body={"citations": "footnotes"},
    )
    first = model.invoke("What is the title at 00:05?")
    assert first.text.startswith("The Lamp [1]")
    assert "[1] 00:00-00:10 title: The Lamp" in first.text
    talk: Any = [("user", "Who carried the lamp?"), first, ("user", "and at 00:05?")]
    pieces = [chunk.text for chunk in model.stream(talk)]
    assert "".join(pieces)


def test_curl_gets_an_answer(server: Served) -> None:
    body, url = (
        json.dumps(asked("What is the title at 00:05?")),
        f"{server.url}/v1/chat/completions",
    )
    done = subprocess.run(
        ["curl", "-sS", url, "-H", "Content-Type: application/json", "-d", body],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "The Lamp"


def test_an_answer_of_few_tokens_is_cut(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(**asked(PAIRS[2][0]), max_tokens=1)
    assert found.choices[0].finish_reason == "length"
    assert found.usage is not None
    assert found.usage.completion_tokens == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (asked("Who?", "nobody"), 404, "model_not_found"),
        (asked("Who?", "../../etc/passwd"), 404, "model_not_found"),
        (asked("Who?", "lamp-11111111/"), 404, "model_not_found"),
        (asked("Who?", "x" * 300), 400, "invalid_value"),
        (asked(""), 400, "no_question"),
        (asked("lamp " * 4000), 400, "too_long"),
        (asked("\ud800"), 400, "invalid_text"),
        (talk("system", "\ud800", "user", "Who?"), 400, "invalid_text"),
        (talk("user", "Who?", "assistant", "Tom\ud800", "user", "And then?"), 400, "invalid_text"),
        (asked("9" * 600), 400, "too_long"),
        (asked([{"type": "image_url", "image_url": {"url": "x"}}]), 400, "no_question"),
        (asked([{"type": "text", "text": None}]), 400, "no_question"),
        (asked("Who?", tool_choice="required"), 400, "invalid_value"),
        (asked("Who?", response_format={"type": "json_object"}), 400, "invalid_value"),
        (asked(5), 400, "invalid_value"),
        (asked("Who?", n=2), 400, "invalid_value"),
        (asked("Who?", max_tokens=0), 400, "invalid_value"),
        ({"model": LAMP, "messages": []}, 400, "invalid_value"),
        ({"model": LAMP, "messages": [{"role": "user"}] * 300}, 400, "invalid_value"),
        ({"model": LAMP, "messages": "Who?"}, 400, "invalid_value"),
        ({"model": 3, "messages": [{"role": "user", "content": "Who?"}]}, 400, "invalid_value"),
        ({"model": LAMP, "messages": [{"role": "god", "content": "Who?"}]}, 400, "invalid_value"),
        ({"model": LAMP, "messages": [{"role": "assistant", "content": "a"}]}, 400, "no_question"),
        ([], 400, "invalid_value"),
        (asked("Who? " * 20_000), 413, "body_too_large"),
    ],
)
def test_bad_requests_get_openais_errors(server: Served, body: Any, status: int, code: str) -> None:
    found = httpx.post(
        f"{server.url}/v1/chat/completions",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert found.status_code == status
    error = found.json()["error"]
    assert error["code"] == code
    assert error["message"].endswith(".")
    assert {*error} == {"message", "type", "param", "code"}
    assert server.post(asked("What is the title at 00:05?")).status_code == 200


@pytest.mark.parametrize("raw", [b"", b"{", b'{"model":', b"\xff\xfe", b"null", b"[" * 5000])
def test_broken_json_is_told(server: Served, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    found = httpx.post(f"{server.url}/v1/chat/completions", content=raw, headers=headers)
    assert found.status_code == 400
    assert found.json()["error"]["type"] == "invalid_request_error"


def test_what_is_wrong_with_a_body_is_told_in_a_clients_terms(server: Served) -> None:
    url = f"{server.url}/v1/chat/completions"
    typed = {"Content-Type": "application/json"}
    broken = httpx.post(url, content=b"{", headers=typed).json()["error"]
    assert "no JSON" in broken["message"]
    assert broken["param"] is None
    plain = httpx.post(
        url, content=json.dumps(asked("Who?")), headers={"Content-Type": "text/plain"}
    )
    assert "application/json" in plain.json()["error"]["message"]
    for content in (5, [{"text": "Who?"}]):
        error = server.post(asked(content)).json()["error"]
        assert error["param"] == "messages.0.content"
        assert "list of parts" in error["message"]


def test_what_openais_schema_lets_be_null_may_be(server: Served) -> None:
    nulls: dict[str, Any] = dict.fromkeys(("stream", "citations", "stop", "tool_choice"))
    found = server.post(asked("What is the title at 00:05?", **nulls))
    assert found.status_code == 200
    options = {"stream": True, "stream_options": {"include_usage": None}}
    assert server.post(asked("What is the title at 00:05?", **options)).status_code == 200


def test_an_answer_ends_before_its_stop(server: Served) -> None:
    question, answer = PAIRS[2]
    head, _, rest = answer.partition(" ")
    for stop in (rest[:3], ["nowhere", rest[:3]]):
        choice = server.post(asked(question, stop=stop)).json()["choices"][0]
        assert choice["message"]["content"].strip() == head
        assert choice["finish_reason"] == "stop"


def test_refusals_are_counted_by_their_codes(server: Served) -> None:
    server.post(asked("Who?", n=2))
    server.post(asked("Who? " * 20_000))
    server.post(asked("Who?", "nobody"))
    text = httpx.get(f"{server.url}/metrics").text
    for code in ("invalid_value", "body_too_large", "model_not_found"):
        assert f'nkr_refused_requests_total{{code="{code}"}} 1.0' in text


def test_only_names_that_are_its_own_reach_a_server_of_this_machine(desk: Desk) -> None:
    served = Served(create_app(desk, hosts=["127.0.0.1", "::1", "nkr.example"]))
    path = f"{served.url}/v1/models"
    for host in ("127.0.0.1:8000", "[::1]:8000", "[::1]", "NKR.example"):
        assert httpx.get(path, headers={"Host": host}).status_code == 200
    refused = httpx.get(path, headers={"Host": "evil.com"})
    assert refused.status_code == 421
    assert refused.json()["error"]["code"] == "unknown_host"
    served.stop()


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ([], {"127.0.0.1", "localhost", "::1"}),
        (["--host", "LOCALHOST"], {"127.0.0.1", "localhost", "::1", "LOCALHOST"}),
        (["--host", "127.0.0.2"], {"127.0.0.1", "localhost", "::1", "127.0.0.2"}),
        (["--host", "0.0.0.0"], set()),
        (
            ["--host", "0.0.0.0", "--allow-host", "nkr.example"],
            {"127.0.0.1", "localhost", "::1", "0.0.0.0", "nkr.example"},
        ),
    ],
)
def test_every_address_of_this_machine_alone_has_its_names(
    given: list[str], hosts: set[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_serve(parser)
    assert set(hosts_of(parser.parse_args(given))) == hosts


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--host", ""], "--host is empty"),
        (["--videos", "/nowhere/at/all"], "no folder /nowhere/at/all"),
        (["--engine", "openai", "--base-url", "http://[::1"], "correct --base-url"),
    ],
)
def test_what_cannot_be_served_is_told(
    given: list[str],
    words: str,
    library_settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve", "--nkr-dir", library_settings.nkr_dir, *given]) == 2
    assert words in capfd.readouterr().err


def test_an_empty_key_is_no_key(
    library_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve", "--nkr-dir", library_settings.nkr_dir, "--key", " "]) == 2
    assert "--key is empty" in capfd.readouterr().err
    parser = argparse.ArgumentParser()
    add_serve(parser)
    monkeypatch.setenv("NKR_API_KEYS", "a, b,")
    assert keys_of(parser.parse_args(["--key", " c"])) == ["c", "a", "b"]
    monkeypatch.setenv("NKR_API_KEYS", " , ")
    with pytest.raises(InputError, match="holds no key"):
        keys_of(parser.parse_args([]))


def test_a_port_that_is_taken_is_told_in_one_sentence(
    library_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        folders = ("--nkr-dir", library_settings.nkr_dir)
        backbone = ("--backbone", str(library_settings.backbone))
        assert main(["serve", *folders, *backbone, "--port", port]) == 2
    told = [line for line in capfd.readouterr().err.splitlines() if "rror" in line]
    assert len(told) == 1
    assert "choose another --port" in told[0]


def test_a_library_that_goes_away_is_told_and_comes_back(
    server: Served, desk: Desk, tmp_path: Path
) -> None:
    desk.library.folder = gone = tmp_path / "nkrs"
    question = asked("What is the title at 00:05?", "auto")
    assert httpx.get(f"{server.url}/healthz").json()["models"] == 0
    assert httpx.get(f"{server.url}/api/library").json()["videos"] == []
    refused = server.post(question)
    assert refused.status_code == 400
    assert "no NKR" in refused.json()["error"]["message"]
    shutil.copytree(desk.settings.nkr_dir, gone)
    assert server.post(question).status_code == 200


def test_other_addresses_are_told(server: Served) -> None:
    for path in ("/v1/nothing", "/api/videos/../nkr.json", "/api/videos/%2e%2e%2fnkr.json", "/x"):
        found = httpx.get(server.url + path)
        assert found.status_code == 404
        assert found.json()["error"]["type"] == "not_found_error"
    assert httpx.get(f"{server.url}/v1/chat/completions").status_code == 405
    away = {"Host": "evil.com"}
    assert httpx.get(f"{server.url}/v1/models/x/", headers=away).status_code == 404
    for path in ("/", "/healthz", f"/api/videos/{LAMP}"):
        assert httpx.head(server.url + path).status_code == 200


def test_a_body_without_an_end_is_cut_off(server: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(20):
        connection.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    assert connection.getresponse().status == 413
    connection.close()


def test_clients_that_go_away_harm_nobody(server: Served) -> None:
    body = json.dumps(asked("What is the title at 00:05?", stream=True)).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/json\r\n\r\n"
    ).encode()
    for sent in (head, head + body[:10], head + body):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(sent)
    with httpx.stream(
        "POST", f"{server.url}/v1/chat/completions", json=json.loads(body), timeout=60
    ) as stream:
        next(stream.iter_lines())
    assert server.post(asked("What is the title at 00:05?")).json()["choices"]


def test_who_waits_is_told_that_the_server_stops(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, begun = threading.Event(), threading.Event()

    def invoke(*_: Any, **__: Any) -> None:
        begun.set()
        slow.wait(30)

    monkeypatch.setattr("graphs.server.asking.graph.invoke", invoke)
    served = Served(create_app(desk), grace=1)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(served.post, asked("What is the title at 00:05?"))
        begun.wait(30)
        served.stop()
        slow.set()
        assert reply.result().status_code == 503
        assert reply.result().json()["error"]["code"] == "shutting_down"


def test_no_client_gets_anothers_answer(server: Served) -> None:
    known = {LAMP: dict(PAIRS[:3]), HARBOUR: dict(OTHERS[:3])}

    def ask(number: int) -> tuple[str, str]:
        model = (LAMP, HARBOUR)[number % 2]
        question, answer = list(known[model].items())[number // 2 % 3]
        found = server.post(asked(question, model))
        return found.json()["choices"][0]["message"]["content"], answer

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(64)))
    assert [pair for pair in found if pair[0] != pair[1]] == []


def test_more_than_it_can_hold_is_sent_away_and_slow_ones_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    monkeypatch.setattr(Asking, "_routed", lambda *_: held.wait(20) and {})
    served = Served(create_app(desk, at_once=1, waiting=1, seconds=1.0))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: served.post(asked("Who?")), range(3)))
        assert sorted(answer.status_code for answer in found) == [429, 504, 504]
        told = {answer.status_code: answer for answer in found}
        assert told[429].headers["Retry-After"] == "1"
        assert told[504].json()["error"]["type"] == "server_error"
    # What nobody waits for any more still counts until it ends.
    assert served.post(asked("Who?")).status_code == 429
    held.set()
    served.stop()


def test_a_failure_of_ours_is_an_error_object(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Asking, "_routed", fail)
    found = server.post(asked("Who?"))
    assert found.status_code == 500
    assert found.json()["error"]["type"] == "server_error"
    assert "secret" not in found.text


def test_keys_are_needed_where_there_are_any(desk: Desk) -> None:
    served = Served(create_app(desk, keys=["first", "sécond"]))
    paths = ("/v1/models", "/api/library", "/metrics", f"/api/videos/{LAMP}")
    for path in paths:
        assert httpx.get(served.url + path).status_code == 401
        wrong = {"Authorization": "Bearer wrong"}
        assert httpx.get(served.url + path, headers=wrong).status_code == 401
        right = {"Authorization": "Bearer first"}
        assert httpx.get(served.url + path, headers=right).status_code == 200
        cookie = {"Cookie": "nkr_key=s%C3%A9cond"}
        assert httpx.get(served.url + path, headers=cookie).status_code == 200
    refused = httpx.get(f"{served.url}/v1/models")
    assert refused.json()["error"]["type"] == "authentication_error"
    for path in ("/", "/healthz"):
        assert httpx.get(served.url + path).status_code == 200
    served.stop()


def test_health_metrics_library_and_video(server: Served, desk: Desk) -> None:
    server.post(asked("What is the title at 00:05?"))
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok", "models": 2}
    text = httpx.get(f"{server.url}/metrics").text
    assert 'nkr_answers_total{route="weights"} 1.0' in text
    assert "nkr_open_requests 0.0" in text
    harbour, lamp = httpx.get(f"{server.url}/api/library").json()["videos"]
    assert (lamp["id"], lamp["playable"], harbour["playable"]) == (LAMP, True, False)
    assert lamp["chapters"] == [[0.0, "The Lamp"], [10.0, "The Kettle"]]
    assert lamp["covered"] == [[0.0, 20.0]]
    video = httpx.get(f"{server.url}/api/videos/{LAMP}", headers={"Range": "bytes=0-9"})
    assert (video.status_code, len(video.content)) == (206, 10)
    assert httpx.get(f"{server.url}/api/videos/{HARBOUR}").status_code == 404
