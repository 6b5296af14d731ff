"""What the distill graph remembers: ids, paths and small counts, never pixels or tensors."""

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict, TypeVar

Value = TypeVar("Value")


def merge(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    """Join two mappings, the newer entry winning, in the order of their keys.

    The order in which branches end must not show in the corpus.
    """
    return dict(sorted({**old, **new}.items()))


def join(old: list[Any], new: list[Any]) -> list[Any]:
    """Join two lists into one without repeats, in order."""
    return sorted({*map(_hashable, old), *map(_hashable, new)})


def _hashable(item: Any) -> Any:
    return tuple(item) if isinstance(item, list) else item


class Video(TypedDict):
    """The video as it was found: its id, content hash, length in seconds, and pixels."""

    id: str
    sha256: str
    seconds: float
    width: int
    height: int
    codec: str


class DistillInput(TypedDict):
    """What a run is given."""

    video_path: str


class DistillOutput(TypedDict):
    """What a run returns: the paths of the published NKR and of the run's report."""

    nkr: str
    report: str


class DistillState(DistillInput, DistillOutput, total=False):
    """What the nodes share.

    ``parts`` are the files that branches wrote, by ``<stage>/<index>``; ``sums`` are what
    `parts.sums` says of these and of all files that later nodes read; ``rejected`` counts the
    records of each work that its last verification rejected; ``skipped`` is the work that the clock
    or the bound on spending left out, under a bound of ``max_minutes``; ``failed`` is the work that
    the agents' model failed at, and why; ``times`` are (stage or ``<stage>/<index>``, begin, end)
    in seconds since 1970. ``exams`` are the examinations by their
    number; ``by_form`` the answers of the check that were right, of how many; ``forgetting`` is
    what the forgetting probe found, ``calibration`` how log-probabilities become confidence.
    """

    settings: dict[str, Any]
    max_minutes: float | None
    video: Video
    run: str
    spans: list[list[float]]
    parts: Annotated[dict[str, str], merge]
    sums: Annotated[dict[str, str], merge]
    rejected: Annotated[dict[str, int], merge]
    revisions: int
    skipped: Annotated[list[str], join]
    failed: Annotated[list[tuple[str, str]], join]
    warnings: Annotated[list[str], join]
    times: Annotated[list[tuple[str, float, float]], join]
    plan: str
    evidence_counts: dict[str, int]
    corpus: str
    corpus_counts: dict[str, int]
    adapter: str
    training: dict[str, Any]
    exams: dict[str, dict[str, Any]]
    by_form: dict[str, tuple[int, int]]
    forgetting: dict[str, Any]
    calibration: dict[str, Any]
    scores: dict[str, Any]


class SpanWork(TypedDict, total=False):
    """One branch of measuring: what `perceive` is sent of a span, `listen` of the whole video.

    ``code`` stands for the makers and for what they read beside the video.
    """

    video_path: str
    sha256: str
    run: str
    index: int
    span: list[float]
    total: int
    code: str


class WritingWork(TypedDict, total=False):
    """One branch of writing: a span's descriptions, questions and verdicts.

    ``span`` is None for the work over the whole video. ``plan_hash`` stands for everything that
    was measured; ``written`` are the parts that the branch has written so far, ``before`` the
    descriptions of the spans before it.
    """

    video_id: str
    video_path: str
    run: str
    index: int
    span: list[float] | None
    total: int
    code: str
    agents: str
    seed: int
    seconds: float
    plan: str
    plan_hash: str
    written: list[str]
    before: list[str]
    round: int
