"""The router over a library of generated videos: the video it chooses, its routes, its citations.

    python -m evals.routing --json                      # 20 videos, each distilled in 2 minutes
    python -m evals.routing --videos 3 --minutes 5

Questions are of who, where, when and how many over what is said, in wordings that no grammar has;
they name no file and no title. Those that another video answers as well ("How many votes?") are
told apart: a text there has every word that ties the question to its own video. What is distilled
is kept in ``--out``.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.selector import words_of
from evals import apart, commands, generated_clips, sample_clip
from graphs.desk import Desk, Settings, open_desk
from graphs.environment import prepare
from graphs.router import graph
from graphs.routing.state import Asked, Citation
from training.corpus import Record
from training.scoring import is_right

SHOTS = 8
FIRST_SEED = 100
# Seconds by which a citation may miss the ends of the span that it must contain.
TOLERANCE = 0.6


def library(count: int, minutes: float, out: Path) -> Path:
    """Distil generated videos that are not there yet, and return the folder of their NKRs."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        video = out / f"lecture-{seed}.mp4"
        if not video.exists():
            sample_clip.render(video, generated_clips.slides(SHOTS, seed))
        if not list((out / "runs" / "nkrs").glob(f"lecture-{seed}-*")):
            # Measured is the router, not what two minutes make an adapter forget.
            flags = ("--force", f"--max-minutes={minutes:g}")
            commands.distill(video, out / "runs", 0, *flags)
    return out / "runs" / "nkrs"


def questions(run: Path, seconds: float) -> list[Record]:
    """Return what is asked of one video: spoken facts, and what it does not show."""
    from agents.team import Plan
    from training.wording.timeline import Timeline

    plan = Plan.model_validate_json((run / "corpus" / "plan.json").read_text(encoding="utf-8"))
    timeline = Timeline.of(plan.facts, plan.spans, seconds)
    return [*apart.spoken_asked(timeline, 0), *apart.absent_asked(timeline, 0)]


def contains(citations: list[Citation], record: Record) -> bool:
    """Tell whether a citation contains a span of the record's fact."""
    return any(
        cited["start"] - TOLERANCE <= start and end <= cited["end"] + TOLERANCE
        for cited in citations
        for start, end in record.spans
    )


def answers_elsewhere(question: str, video: str, texts: Mapping[str, Sequence[set[str]]]) -> bool:
    """Tell whether another video has a text with all the words that a question shares with its own.

    ``texts`` are the words of every video's texts.
    """
    asked = words_of(question)
    own = max((asked & words for words in texts[video]), key=len, default=set())
    return any(own <= words for other, found in texts.items() if other != video for words in found)


def measure(desk: Desk) -> dict[str, Any]:
    """Ask everything of the whole library, and of each video alone."""
    chosen: Counter[bool] = Counter()
    clearly: Counter[bool] = Counter()
    routes: Counter[str] = Counter()
    right: Counter[str] = Counter()
    cited: Counter[bool] = Counter()
    refused: Counter[bool] = Counter()
    told: Counter[str] = Counter()
    texts = {
        volume.id: [words_of(item.value) for item in volume.evidence]
        for volume in desk.library.volumes().values()
    }
    seconds = []
    wrong = []
    for volume in desk.library.volumes().values():
        run = volume.nkr.folder.parents[1] / volume.id
        for record in questions(run, volume.seconds):
            began = time.perf_counter()
            absent = record.category == "absent"
            asked: Asked = {"question": record.question, "video": volume.id if absent else None}
            reply: Any = graph.invoke(asked, context=desk.settings)
            seconds.append(time.perf_counter() - began)
            if absent:
                told[reply["route"]] += 1
                continue
            chosen[reply["nkr"] == volume.id] += 1
            if not answers_elsewhere(record.question, volume.id, texts):
                clearly[reply["nkr"] == volume.id] += 1
            if reply["nkr"] != volume.id:
                wrong.append({"question": record.question, "of": volume.id, "chosen": reply["nkr"]})
            refused[reply["route"] == "abstain"] += 1
            routes[reply["route"]] += 1
            is_so = is_right(record, reply["answer"])
            right[reply["route"]] += is_so
            if reply["route"] == "weights" and is_so:
                cited[contains(reply["citations"], record)] += 1
    return {
        "videos": len(desk.library.volumes()),
        "questions": sum(chosen.values()),
        "right_video": _share(chosen),
        "questions_of_one_video_alone": sum(clearly.values()),
        "right_video_of_those": _share(clearly),
        "right_weights_answers_with_their_span_cited": _share(cited),
        "routes": dict(routes),
        "right_by_route": {route: right[route] / count for route, count in routes.items()},
        "recall": sum(right.values()) / max(1, sum(routes.values())),
        "false_refusals": _share(refused),
        "absent": sum(told.values()),
        "false_answers": 1 - told["abstain"] / max(1, sum(told.values())),
        "absent_by_route": dict(told),
        "seconds_per_question": sum(seconds) / max(1, len(seconds)),
        "wrong_videos": wrong[:10],
    }


def _share(counted: Counter[bool]) -> float | None:
    whole = sum(counted.values())
    return counted[True] / whole if whole else None


def main() -> None:
    """Distil, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--videos", type=int, default=20, help="generated videos (20)")
    parser.add_argument("--minutes", type=float, default=2.0, help="minutes for each (2)")
    parser.add_argument("--out", type=Path, default=Path("runs/routing"), help="what is kept")
    options = parser.parse_args()
    prepare(offline=True)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        folder = library(options.videos, options.minutes, options.out)
        found = measure(open_desk(Settings(nkr_dir=str(folder))))
    except KeyboardInterrupt:
        sys.exit(commands.INTERRUPTED)
    except commands.CommandFailed as error:
        sys.exit(error.code)
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
