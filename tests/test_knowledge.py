"""The figures of `evals.knowledge`: what counts as right, and how answers become figures."""

from typing import Any

import pytest
from tiny_nkr import record

from evals.generated_clips import TITLE, slides
from evals.knowledge import AT_LEAST, AT_MOST, Asked, figures
from training.corpus import REFUSAL


def row(form: str, right: bool, confidence: float, told: bool = True) -> dict[str, Any]:
    return {
        "form": form,
        "confidence": confidence,
        "told": told,
        "right": right and told,
        "answer_right": right,
    }


def result(**asked: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("check", "apart", "spoken_apart", "hops_apart", "absent_apart")
    }
    return {
        "asked": {**empty, **asked},
        "forgetting": {"accuracy_lost": 0.01, "right_blind": 0.95, "kl": 0.1},
        "training_seconds": 50.0,
        "facts": 25,
    }


def test_silence_is_right_where_there_is_nothing_to_say() -> None:
    known, absent = record("Who?", "Marta"), record("Why?", REFUSAL, "absent/what")
    assert Asked(known, "marta", 0.9, told=True).right
    assert not Asked(known, "marta", 0.2, told=False).right
    assert Asked(absent, "Marta", 0.2, told=False).right
    assert not Asked(absent, "Marta", 0.9, told=True).right


def test_figures_count_answers_of_all_videos_alike() -> None:
    first = result(
        check=[
            row("open/title", True, 0.9),
            row("open/said_title", False, 0.3),
            row("absent/who", False, 0.8),
        ],
        apart=[row("open/cloze", True, 0.9), row("open/title", False, 0.2)],
        spoken_apart=[row("open/who", True, 0.9)],
    )
    second = result(
        check=[row("open/said_next", True, 0.9), row("open/title", True, 0.8, told=False)],
        absent_apart=[row("absent/who", False, 0.1, told=False)],
        hops_apart=[row("open/said_title", True, 0.7)],
    )
    found = figures([first, second], [0.0, 0.02])
    assert found["recall_check"] == pytest.approx(2 / 4)
    assert found["recall_hops"] == pytest.approx(1 / 2)
    assert found["recall_apart"] == pytest.approx(1 / 2)
    assert found["recall_spoken_apart"] == 1.0
    assert found["recall_hops_apart"] == 1.0
    assert found["false_answers"] == pytest.approx(1 / 2)
    assert found["false_refusals"] == pytest.approx(1 / 8)
    assert found["swap_over_blind"] == 0.02
    assert found["seconds_per_fact"] == 2.0
    assert {*AT_LEAST, *AT_MOST} <= set(found)


def test_generated_slides_fit_and_come_again_from_their_seed() -> None:
    made = slides(12, 3)
    assert made == slides(12, 3) != slides(12, 4)
    assert len({slide.title for slide in made}) == 12
    assert all(len(slide.title) <= TITLE and slide.speech for slide in made)
