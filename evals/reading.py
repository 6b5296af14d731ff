"""How well the embedded backbone reads: questions about descriptions that stand in its context.

python -m evals.reading [--backbone embedded] [--descriptions 100] [--shots 3] [--json]

Each description is of an invented video that pretraining never met, and each question is in
wordings that pretraining never had (those of the `check` split).
"""

import argparse
import json
import random
from collections import defaultdict

DESCRIPTIONS = 100
QUESTIONS = {"open": 6, "yesno": 2, "choice": 1}
HOPS = 4
APART = ("yesno", "choice", "hops")


def read(backbone_name: str, descriptions: int, shots: int) -> dict[str, float | int]:
    """Return the share of open questions answered exactly, by how the moment is told.

    ``yesno`` and ``choice`` are the shares of those, where guessing gives a half and a quarter;
    ``hops`` is the share of open questions that join two facts or more.
    """
    from training.backbone import load_backbone
    from training.generate import Generator
    from training.scoring import is_right
    from training.wording.asks import Ask, fact_asks
    from training.wording.describe import describe
    from training.wording.hops import hop_asks
    from training.wording.phrasing import word
    from training.worlds.videos import invent
    from training.worlds.words import everyday_words

    reader = Generator(load_backbone(backbone_name, backbone_name=backbone_name))
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for number in range(descriptions):
        # Pretraining seeds its documents with "<seed>-<number>": these are others.
        rng = random.Random(f"reading-{number}")
        timeline = invent(rng, everyday_words(), shots)
        sheet = "\n".join(describe(shot, rng) for shot in timeline.shots)
        by_category: defaultdict[str, list[Ask]] = defaultdict(list)
        for ask in fact_asks(timeline):
            by_category[ask.category].append(ask)
        chosen = [
            ask
            for category, count in QUESTIONS.items()
            for ask in rng.sample(by_category[category], min(count, len(by_category[category])))
        ]
        joins = [ask for ask in hop_asks(timeline) if ask.category == "open"]
        chosen += rng.sample(joins, min(HOPS, len(joins)))
        asked = [word(ask, "check", rng) for ask in chosen]
        answers = reader.answer([question.question for question in asked], context=sheet)
        for ask, question, answer in zip(chosen, asked, answers, strict=True):
            name = question.form.partition("/")[2]
            told = f"by_{name.partition('_by_')[2]}" if "_by_" in name else name
            kind = "hops" if ask in joins else told if ask.category == "open" else ask.category
            right[kind].append(is_right(question.record(str(number)), answer.text))
    opened = [one for kind, found in right.items() if kind not in APART for one in found]
    return {
        "shots": shots,
        "questions": len(opened),
        "right": round(sum(opened) / len(opened), 3),
        **{told: round(sum(kind) / len(kind), 3) for told, kind in sorted(right.items())},
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m evals.reading", description=__doc__)
    parser.add_argument("--backbone", default="embedded")
    parser.add_argument("--descriptions", type=int, default=DESCRIPTIONS)
    parser.add_argument("--shots", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if min(options.descriptions, options.shots) < 1:
        parser.error("--descriptions and --shots must be 1 or more")
    figures = read(options.backbone, options.descriptions, options.shots)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
