"""A real HTTP server that speaks OpenAI's protocol: its model reads what it is sent, no more.

Replies are a function of the request alone, so that runs compare byte for byte. `Wire.faults`
decides which requests go wrong, and how.
"""

import base64
import hashlib
import io
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from jsonschema import validate
from PIL import Image

MODEL, KEY = "test-vl", "sk-test"
LINE = re.compile(r"^\[([\d.]+)-([\d.]+)\] (title|text|speech): (.+)$", re.MULTILINE)
ASKED = re.compile(r"between ([\d.]+) s and ([\d.]+) s of the (title|text|speech)")
WAYS = (
    "What can be read or heard between {a} s and {b} s of the {kind}?",
    "Tell me the {kind}: what is it between {a} s and {b} s of the {kind}?",
    "Which words come between {a} s and {b} s of the {kind}?",
    "Do you know what there is between {a} s and {b} s of the {kind}?",
    "Name what the viewer gets between {a} s and {b} s of the {kind}.",
    "I missed what came between {a} s and {b} s of the {kind}. What was it?",
    "Between which words are we between {a} s and {b} s of the {kind}?",
    "Repeat what stands between {a} s and {b} s of the {kind}.",
    "Quote what is given between {a} s and {b} s of the {kind}.",
    "Say what appears between {a} s and {b} s of the {kind}.",
    "What did the video give between {a} s and {b} s of the {kind}?",
    "Write down what lies between {a} s and {b} s of the {kind}.",
)

Fault = str
Faults = Callable[["Call"], Fault | None]


@dataclass(frozen=True)
class Call:
    """One request: what it asked for, the hash of its body, and how often that came before."""

    schema: str
    key: str
    before: int
    pictures: int
    largest: int
    body: dict[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def most(self) -> int:
        """How many tokens the reply may have."""
        most: int = self.body["max_tokens"]
        return most


class Wire:
    """The server: its URL, the calls that reached it, and what it does wrong."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: Faults = lambda call: None
        self.formats = {"json_schema", "json_object"}
        self.wait: float | str = 0.2
        self.hang = 5.0
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="critical")
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "Wire":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)

    @property
    def url(self) -> str:
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/v1"

    def forget(self) -> None:
        """Begin to count anew."""
        self.calls.clear()
        self._counts.clear()

    def bodies(self) -> Counter[str]:
        """Return how often each request came, but for the one before any work."""
        return Counter(call.key for call in self.calls if call.schema != "Ready")

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v1/models")
        def models() -> Any:
            return {"object": "list", "data": [{"id": MODEL, "object": "model"}]}

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> Response:
            raw = await request.body()
            if request.headers.get("authorization") != f"Bearer {KEY}":
                return _error(401, "Incorrect API key provided", "invalid_api_key")
            call = self._counted(json.loads(raw), hashlib.sha256(raw).hexdigest())
            if call.body["model"] != MODEL:
                return _error(404, "The model does not exist", "model_not_found")
            wanted = call.body.get("response_format", {}).get("type")
            if wanted and wanted not in self.formats:
                return _error(400, f"response_format {wanted} is not supported", None)
            return await self._reply(call, self.faults(call))

        return app

    def _counted(self, body: dict[str, Any], key: str) -> Call:
        system = body["messages"][0]["content"]
        shape = json.loads(system[system.index('{"') :])
        sizes = [
            max(Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))).size)
            for url in _pictures(body)
        ]
        with self._lock:
            call = Call(
                shape["title"], key, self._counts[key], len(sizes), max(sizes, default=0), body
            )
            self._counts[key] += 1
            self.calls.append(call)
        return call

    async def _reply(self, call: Call, fault: Fault | None) -> Response:
        if fault == "429":
            return _error(429, "slow down", None, {"Retry-After": str(self.wait)})
        if fault == "broke":
            return _error(429, "You exceeded your current quota", "insufficient_quota")
        if fault == "402":
            return _error(402, "Insufficient Balance", None)
        if fault == "flagged":
            return _error(403, "Your input was flagged by moderation", None)
        if fault == "no room":
            told = f"the context length is 9000. You requested {call.most} in the completion"
            return _error(400, told, "context_length_exceeded")
        if fault == "500":
            return _error(500, "the server had an error", None)
        if fault == "413":
            return _error(413, "request entity too large", None)
        if fault == "no pictures":
            return _error(400, "image input is not supported by this model", None)
        if fault == "bad picture":
            return _error(400, "Invalid image URL: could not decode image", None)
        if fault == "403":
            return _error(403, f"Country not supported (asked with {KEY})", None)
        if fault == "html":
            return HTMLResponse("<html>gateway</html>")
        if fault == "hang":
            import asyncio

            await asyncio.sleep(self.hang)
        told: dict[str, Any] = {
            "role": "assistant",
            "content": json.dumps(answer(call.schema, text_of(call.body))),
        }
        if fault == "not JSON":
            told["content"] = "Sure! Here is " + told["content"][:20]
        if fault == "wrong schema":
            told["content"] = json.dumps({"unexpected": True})
        if fault == "empty":
            told["content"] = ""
        if fault == "refusal":
            told |= {"content": None, "refusal": "I cannot help with that."}
        body = completion(told, "length" if fault == "length" else "stop")
        if fault == "cut":
            return StreamingResponse(
                _cut(json.dumps(body).encode()),
                media_type="application/json",
                headers={"content-length": str(len(json.dumps(body)))},
            )
        if fault == "trickle":
            return StreamingResponse(_trickled(json.dumps(body).encode()))
        if call.schema == "Ready" or fault in ("not JSON", "wrong schema", "empty", "refusal"):
            return JSONResponse(body)
        validate(json.loads(told["content"]), _shape(call.body))
        return JSONResponse(body)


def _shape(body: dict[str, Any]) -> Any:
    shape = body.get("response_format", {}).get("json_schema", {}).get("schema")
    system = body["messages"][0]["content"]
    return shape or json.loads(system[system.index('{"') :])


def _pictures(body: dict[str, Any]) -> list[str]:
    return [
        block["image_url"]["url"]
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "image_url"
    ]


def text_of(body: dict[str, Any]) -> str:
    """Return what the user's first message says."""
    content = body["messages"][1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def answer(schema: str, text: str) -> dict[str, Any]:
    """Return what the model replies: read from the request's schema and text alone."""
    lines = list(dict.fromkeys(LINE.findall(text)))
    if schema == "Ready":
        return {"word": "red"}
    if schema == "Step":
        first = "(nothing)" in text.split("<<<LOOKED UP", 1)[1]
        action = "speech" if first else "decide"
        return {"action": action, "times": [0.0, 5.0] if first else [], "box": [], "query": ""}
    if schema == "Outline":
        return {
            "kind_of_video": "a talk",
            "names": [{"name": "Marta Lindqvist", "what": "a buyer of kettles"}],
            "chapters": [
                {"start": 0.0, "title": "The kettle", "weight": 3},
                {"start": 20.0, "title": "The harbour", "weight": 4},
            ],
            "question_kinds": ["text", "what"],
        }
    if schema == "Description":
        return {
            "text": " ".join(f"{kind.capitalize()}: {value}" for *_, kind, value in lines)
            or "Nothing is written or said."
        }
    if schema == "Questions":
        about = re.search(r"\(([\d.]+) to ([\d.]+) s\) of a video of ([\d.]+) s", text)
        assert about
        whole = (about[1], about[2]) == ("0.0", about[3])
        return {
            "items": [
                {
                    "kind": "what" if kind == "speech" else "text",
                    "start": float(a),
                    "end": float(b),
                    "answer": value,
                    "wordings": [
                        ("In all: " if whole else "") + way.format(a=a, b=b, kind=kind)
                        for way in WAYS
                    ],
                    "wrong_answers": ["The Silver Spoon", "Southgate", "Olav Berg"],
                }
                for a, b, kind, value in lines
            ],
            "not_in_video": [
                f"What does Olav Berg say about {word} from {about[1]} to {about[2]}?"
                for word in ("whales", "trains", "bread", "the moon")
            ],
        }
    if schema == "Answers":
        known = {(a, b, kind): value for a, b, kind, value in lines}
        return {
            "answers": [
                {
                    "id": row["id"],
                    "answer": known.get(found.groups(), "")
                    if (found := ASKED.search(row["question"]))
                    else "",
                    "certain": True,
                }
                for row in _rows(text, "QUESTIONS")
            ]
        }
    if schema == "Judgements":
        return {
            "judgements": [
                {"id": row["id"], "supported": "description" in row, "reason": "it says another"}
                for row in _rows(text, "CLAIMS")
            ]
        }
    if schema == "Rewritten":
        return {"items": [_again(row, text) for row in _rows(text, "REJECTED", "FAILED")]}
    raise AssertionError(schema)


def _again(row: dict[str, Any], text: str) -> dict[str, Any]:
    mark = hashlib.sha256(json.dumps(row).encode()).hexdigest()[:6]
    old = row["questions"]
    return {
        "id": row["id"],
        "answer": row.get("answer") or row["right_answer"],
        "wordings": [f"Once more ({mark}): {question}" for question in old],
    }


def _rows(text: str, *labels: str) -> list[dict[str, Any]]:
    for label in labels:
        if f"<<<{label}\n" in text:
            block = text.split(f"<<<{label}\n", 1)[1].split("\n>>>", 1)[0]
            return [json.loads(line) for line in block.splitlines() if line.startswith("{")]
    return []


def completion(message: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return the body of a chat completion."""
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


def _error(
    status: int, message: str, code: str | None, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse({"error": {"message": message, "code": code}}, status, headers)


async def _cut(body: bytes) -> Any:
    yield body[: len(body) // 2]


async def _trickled(body: bytes) -> Any:
    import asyncio

    for place in range(len(body)):
        yield body[place : place + 1]
        await asyncio.sleep(0.02)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A running server, its key in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Wire() as running:
        yield running
