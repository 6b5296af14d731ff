"""What is loaded once and used by many nodes; never part of a graph's state."""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from graphs.distill.runs import RunFolder
from tools.errors import InputError

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

    from agents.language.backbone_chat import BackboneChat
    from agents.team import Team
    from graphs.distill.context import Context
    from graphs.distill.state import DistillState
    from tools.frame_features import FrameFeatures
    from tools.ocr import TextReader
    from tools.video import VideoReader
    from training.backbone import Backbone
    from training.mount import Mounted

P = ParamSpec("P")
Loaded = TypeVar("Loaded")

_loading = threading.RLock()


def loaded_once(kept: int | None) -> Callable[[Callable[P, Loaded]], Callable[P, Loaded]]:
    """Decorate what loads something: branches that need it at the same time get the same one.

    A cache alone would let each of them load its own. ``kept`` is how many it holds, None for all.
    """

    def decorate(load: Callable[P, Loaded]) -> Callable[P, Loaded]:
        cached = lru_cache(maxsize=kept)(load)

        @wraps(load)
        def locked(*args: P.args, **kwargs: P.kwargs) -> Loaded:
            with _loading:
                return cached(*args, **kwargs)  # type: ignore[arg-type]

        return locked

    return decorate


# Agents that are the run's backbone itself.
BACKBONE = "backbone"


@dataclass(frozen=True)
class Eyes:
    """A video opened for looking and reading, used by one thread at a time."""

    reader: "VideoReader"
    text: "TextReader"


# Videos that stay open: each holds a decoder and a text reader.
OPEN = 4


class EyesPool:
    """Opens a video as often as threads look at it at the same time; a few stay open."""

    def __init__(self) -> None:
        self._idle: defaultdict[Path, list[Eyes]] = defaultdict(list)
        self._lock = threading.Lock()
        # However many branches wait for a server, no more look than there are cores.
        self._looking = threading.BoundedSemaphore(os.cpu_count() or 1)

    @contextmanager
    def borrow(self, path: Path) -> Iterator[Eyes]:
        """Lend eyes on a video that nobody else holds."""
        from tools.ocr import TextReader
        from tools.video import open_video

        with self._looking:
            with self._lock:
                eyes = self._idle[path].pop() if self._idle[path] else None
            eyes = eyes or Eyes(open_video(path), TextReader())
            try:
                yield eyes
            finally:
                with self._lock:
                    # The one that was looked at last stands last.
                    self._idle[path] = [*self._idle.pop(path, []), eyes]
                    older = list(self._idle)[:-OPEN]
                for other in older:
                    self.close(other)

    def close(self, path: Path) -> None:
        """Close what is open of a video."""
        with self._lock:
            for eyes in self._idle.pop(path, []):
                eyes.reader.close()


EYES = EyesPool()


def team_of(state: Mapping[str, Any], context: "Context") -> "Team":
    """Return the planner, describer, question-writer and verifier of a run, or of a branch of it.

    Raises InputError where there are none of the name, or a bound has no price to go by.
    """
    return _team(context, state["video_path"], state["run"])


@loaded_once(2)
def _team(context: "Context", video: str, run: str) -> "Team":
    from agents.observed import observed

    if context.agents == "embedded":
        from agents.embedded.team import embedded_team

        return observed(embedded_team())
    from agents.language.chat import Chat
    from agents.language.replies import Replies
    from agents.language.spending import Ledger, Price, listed_price
    from agents.language.team import language_team
    from agents.language.watch import Watch

    model = load_chat_model(context)
    name = model.model_name
    price = Price(*context.price) if context.price else listed_price(name)
    if context.agents == BACKBONE:
        price = Price(0.0, 0.0)
    if context.max_cost is not None and price is None:
        raise InputError(f"The price of {name} is not known: give --price with --max-cost.")
    folder = RunFolder(Path(run))
    ledger = Ledger(
        folder.calls, price=price, max_calls=context.max_calls, max_cost=context.max_cost
    )
    chat = Chat(
        model,
        name,
        replies=Replies(folder.replies),
        ledger=ledger,
        behind_a_wire=context.agents != BACKBONE,
    )
    looks = load_looks(context.image_embedder)
    watch = Watch(
        Path(video),
        folder.evidence,
        method=context.keyframes,
        looks=looks,
        merges=getattr(model, "merges", False),
    )
    return observed(language_team(chat, watch))


@loaded_once(2)
def load_chat_model(context: "Context") -> "ChatOpenAI | BackboneChat":
    """Return the agents' model: the loaded backbone, or one at a server, which is sent nothing yet.

    Raises InputError where there is none.
    """
    if context.agents == BACKBONE:
        if context.backbone == "embedded":
            raise InputError(
                "The embedded backbone is no chat model: name one with --backbone, or agents with "
                "--agents embedded or openai:MODEL."
            )
        from agents.language.backbone_chat import BackboneChat

        return BackboneChat(backbone=backbone_of(context))
    from agents.language.chat_model import model_name, open_chat_model

    name = model_name(context.agents)
    if name is None:
        raise InputError(
            f"There are no agents {context.agents!r}: give --agents embedded, backbone or "
            "openai:MODEL."
        )
    return open_chat_model(
        name, base_url=context.base_url, timeout=context.call_timeout, seed=context.seed
    )


@loaded_once(None)
def load_looks(image_embedder: str | None) -> "FrameFeatures":
    """Return what tells frames apart; raises InputError where there is no such embedder."""
    from tools.frame_features import ClassicalFeatures, HubFeatures

    return HubFeatures(image_embedder) if image_embedder else ClassicalFeatures()


@loaded_once(None)
def load_backbone(
    name: str, backbone_name: str | None = None, device: str = "auto", sees: bool = False
) -> "Backbone":
    """Return the loaded backbone; every NKR of the process is mounted on the same one."""
    from training import backbone

    return backbone.load_backbone(name, backbone_name=backbone_name, device=device, sees=sees)


def backbone_of(context: "Context") -> "Backbone":
    """Return the backbone of a run."""
    sees = context.agents == BACKBONE
    return load_backbone(context.backbone, context.backbone_name, context.device, sees)


def mounted_of(state: "DistillState", context: "Context") -> "Mounted":
    """Return a run's adapter, mounted on its backbone."""
    from training.mount import mount

    adapter = Path(state["adapter"])
    return mount(backbone_of(context), adapter, moments=behind_moments(state))


def behind_moments(state: "DistillState") -> bool:
    """Say whether a run's adapter learns answers behind their moments; an older run's does not."""
    return bool(state["training"].get("moments", False))
