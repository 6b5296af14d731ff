"""The server's addresses: models, chat completions, health, metrics, the library and the page."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from graphs.desk import Desk
from graphs.library import AUTO, Volume
from graphs.routing.rewatch import find_video, named_like
from graphs.server.asking import Asking
from graphs.server.completions import ChatRequest, Completion
from graphs.server.errors import RequestError, tell_errors
from graphs.server.limits import Limits

MAX_BODY = 1 << 20
_READ = ["GET", "HEAD"]
# The page asks no other host for anything.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
)


def create_app(
    desk: Desk,
    *,
    keys: Sequence[str] = (),
    hosts: Sequence[str] = (),
    at_once: int = 32,
    waiting: int = 128,
    seconds: float = 120.0,
    max_body: int = MAX_BODY,
) -> FastAPI:
    """Return the app that serves a desk's NKRs.

    ``keys`` are the bearer keys of which one is needed, none for no need of one; ``hosts`` the
    names by which clients may call it, none for any. ``at_once`` requests run and ``waiting`` more
    wait, each for ``seconds`` at most.
    """
    # What reads files or long texts is no coroutine: the loop stays free for the other clients.
    app = FastAPI(
        title="NKR", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    asking = Asking(desk, at_once=at_once, waiting=waiting, seconds=seconds)
    tokenizer = desk.engine.tokenizer
    app.add_middleware(Limits, keys=keys, hosts=hosts, max_body=max_body, refuse=asking.refuse)
    tell_errors(app, asking.refuse)

    @app.api_route("/healthz", methods=_READ)
    def healthz() -> dict[str, Any]:
        return {"status": "ok", "models": len(desk.library.volumes())}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(asking.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        found = [_model(volume) for volume in desk.library.volumes().values()]
        return {"object": "list", "data": [_AUTO_MODEL, *found]}

    @app.get("/v1/models/{name}")
    def model(name: str) -> dict[str, Any]:
        return _AUTO_MODEL if name == AUTO else _model(volume_of(name))

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: ChatRequest) -> Any:
        reply = await asking.ask(request)
        completion = await run_in_threadpool(Completion, request, reply, tokenizer)
        if not request.stream:
            return completion.whole()
        return StreamingResponse(completion.events(), media_type="text/event-stream")

    @app.get("/api/library")
    def library() -> dict[str, Any]:
        volumes = desk.library.volumes().values()
        return {
            "videos": [_card(volume, desk.settings.videos) for volume in volumes],
            "problems": desk.library.problems,
        }

    @app.api_route("/api/videos/{name}", methods=_READ)
    def video(name: str) -> FileResponse:
        path = find_video(volume_of(name), desk.settings.videos)
        if path is None:
            raise RequestError(404, "The video's file is not here.", code="no_video")
        return FileResponse(path)

    @app.api_route("/", methods=_READ)
    def page() -> HTMLResponse:
        text = files("graphs.server").joinpath("page.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})

    def volume_of(name: str) -> Volume:
        found = desk.library.volumes().get(name)
        if found is None:
            raise RequestError(404, f"There is no model {name!r}.", code="model_not_found")
        return found

    app.state.asking = asking
    return app


_AUTO_MODEL = {"id": AUTO, "object": "model", "created": 0, "owned_by": "nkr"}


def _model(volume: Volume) -> dict[str, Any]:
    from datetime import datetime

    created = int(datetime.fromisoformat(volume.nkr.manifest.created).timestamp())
    return {"id": volume.id, "object": "model", "created": created, "owned_by": "nkr"}


def _card(volume: Volume, videos: str | None) -> dict[str, Any]:
    """Return what the page shows of an NKR."""
    manifest = volume.nkr.manifest
    spans = [(item.start, item.end) for item in volume.evidence if item.kind != "shot"]
    return {
        "id": volume.id,
        "name": manifest.video.name,
        "seconds": manifest.video.seconds,
        "bytes": volume.bytes,
        "facts": manifest.corpus.counts.get("facts"),
        "recall": manifest.scores.get("recall_check"),
        "created": manifest.created,
        "chapters": volume.chapters,
        "covered": _merged(spans),
        # Not read here: the library would wait until every video was.
        "playable": named_like(volume, videos) is not None,
    }


def _merged(spans: Sequence[tuple[float, float]]) -> list[list[float]]:
    merged: list[list[float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 0.5:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged
