"""Follow-ups written out: the share that asks, standing alone, what was meant.

python -m evals.follow_ups --json
"""

import argparse
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.embedded.contextualizer import contextualize
from training.scoring import fold

ITEMS = Path(__file__).with_name("follow_ups.toml")


def items() -> list[dict[str, Any]]:
    """Return the follow-ups, each with the question and the answer before it."""
    return tomllib.loads(ITEMS.read_text(encoding="utf-8"))["item"]


def is_meant(item: dict[str, Any], written: str) -> bool:
    """Tell whether a question asks what a follow-up meant."""
    said = f" {fold(written)} "

    def stands(text: str) -> bool:
        return any(f" {fold(one)} " in said for one in text.split("|"))

    return all(map(stands, item["has"])) and not any(map(stands, item.get("lacks", [])))


def measure(rewrite: Callable[[str, str, str], str] = contextualize) -> dict[str, Any]:
    """Return the share that was rewritten right, and what the others became."""
    wrong = []
    for item in items():
        written = rewrite(item["asked"], item["before"], item["answer"])
        if not is_meant(item, written):
            wrong.append({**item, "written": written})
    count = len(items())
    return {"follow_ups": count, "right": 1 - len(wrong) / count, "wrong": wrong}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = measure()
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    print(f"{found['right']:.3f} of {found['follow_ups']} follow-ups are written out right")
    for item in found["wrong"]:
        print(f"  {item['asked']} -> {item['written']}")


if __name__ == "__main__":
    main()
