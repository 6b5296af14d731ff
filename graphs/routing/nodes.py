"""The router's nodes: each takes the state and returns its update."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any

from langgraph.runtime import Runtime

from agents.citer import Cited
from agents.embedded.answer_kinds import fits
from agents.embedded.contextualizer import contextualize as written_out
from agents.embedded.plain_question import plain, straight
from agents.embedded.small_talk import small_talk
from graphs.desk import Desk, Settings, open_desk
from graphs.library import Volume, is_clear
from graphs.routing.cited import citations, cited
from graphs.routing.sheets import sheet
from graphs.routing.state import RouterState, Turn
from tools.errors import InputError
from training.calibration import Calibration, ask_again
from training.corpus import REFUSAL
from training.scoring import is_refusal

if TYPE_CHECKING:
    import numpy as np

# Spans that are read where the weights do not know; the embedded backbone reads no more at once.
SPANS = 3
CANDIDATES = 3
# Confidence that an answer of the weights must have, whatever the threshold: what is likelier
# wrong than right is looked up, and an adapter that had little time knows less than its evidence.
SURE = 0.5
# The same where the NKR has no calibration, as after a run that its clock cut short.
UNCALIBRATED_SURE = 0.9
# Probability of a whole answer that the backbone must read with: of what is not there it is unsure.
READ_SURE = 0.4


def contextualize(state: RouterState) -> dict[str, Any]:
    """Write a follow-up out into a question that stands alone, in the backbone's plain words."""
    question = straight(state["question"])
    alone = standing_alone(question, state.get("turns") or [])
    said = [] if alone == question else [f"contextualize: {alone}"]
    return {
        "standalone": alone,
        "steps": said,
        "nkr": None,
        "route": None,
        "candidates": [],
        "weights": {},
        "citations": [],
        "supported": False,
        "confidence": 0.0,
    }


def standing_alone(asked: str, turns: Sequence[Turn]) -> str:
    """Return a question written out, with what it leans on in the turn before it."""
    question = straight(asked)
    if turns:
        question = written_out(question, turns[-1]["question"], turns[-1]["answer"])
    return plain(question)


def is_small_talk(state: RouterState) -> bool:
    """Tell whether nothing is asked about any video."""
    return small_talk(state["question"]) is not None


def greet(state: RouterState) -> dict[str, Any]:
    """Answer what asks nothing; it is no turn that a follow-up could lean on."""
    return {"answer": small_talk(state["question"]), "route": "small_talk"}


def select_video(state: RouterState, runtime: Runtime[Settings]) -> dict[str, Any]:
    """Choose the video that is asked about: the one that is given, named, or known of.

    None is where all of them end before the moment that is asked about.
    """
    desk = open_desk(runtime.context)
    alone, turns = state["standalone"], state.get("turns") or []
    given, before = state.get("video"), turns[-1]["nkr"] if turns else ""
    chosen = [given] if given else likeliest(desk, state["question"], alone, lambda: before)
    lasting = [name for name in chosen if desk.volume(name).lasts(alone)]
    said = [] if given else [f"select: {', '.join(chosen)}"]
    if not lasting:
        said.append("select: the video ends before the moment that is asked about")
    return {"nkr": chosen[0], "candidates": lasting, "steps": [*state["steps"], *said]}


def likeliest(desk: Desk, asked: str, alone: str, before: Callable[[], str]) -> list[str]:
    """Return the ids of the videos that a question may be about, likeliest first.

    ``alone`` is the question as it stands alone; ``before`` gives the video of the turn before it,
    "" where there is none. Raises InputError where there is no video at all.
    """
    leans = alone != plain(straight(asked))
    ranked = [] if leans else _ranked(desk, alone)
    # What leans on the turn before, or fits no video better than that one, is about its video.
    if not is_clear(ranked) and (known := before()) in desk.library.volumes():
        return [known]
    ranked = ranked or _ranked(desk, alone)
    return [volume.id for _, volume in ranked[: 1 if is_clear(ranked) else CANDIDATES]]


def _ranked(desk: Desk, alone: str) -> list[tuple[float, Volume]]:
    ranked = desk.library.ranked(alone, desk.embed(alone))
    if not ranked:
        raise InputError(f"There is no NKR in {desk.library.folder} any more: distil a video.")
    return [one for one in ranked if one[1].lasts(alone)] or ranked


def recall(state: RouterState, runtime: Runtime[Settings]) -> dict[str, Any]:
    """Ask the weights of each candidate, all in one batch, and keep the surest that knows."""
    desk = open_desk(runtime.context)
    names = state["candidates"]
    # Asked at the same time, they share the backbone's batch.
    with ThreadPoolExecutor(len(names)) as pool:
        found = list(pool.map(lambda name: _recalled(desk, name, state["standalone"]), names))
    # The likeliest video that answers with evidence, else that answers, else the likeliest.
    best = max(found, key=lambda one: (one.told and bool(one.proofs), one.told))
    answers = "; ".join(f"{one.name}: {one.answer} ({one.confidence:.2f})" for one in found)
    return {
        "nkr": best.name,
        "confidence": best.confidence,
        "weights": {"answer": best.answer, "told": best.told},
        "citations": citations(best.proofs),
        "supported": bool(best.proofs),
        "steps": [*state["steps"], f"recall: {answers}"],
    }


@dataclass(frozen=True)
class _Recalled:
    name: str
    answer: str
    told: bool
    confidence: float
    proofs: list[Cited]


def _recalled(desk: Desk, name: str, question: str) -> _Recalled:
    volume = desk.volume(name)
    calibration = volume.nkr.manifest.calibration or Calibration()
    (doubted,) = ask_again(desk.answerer(volume), [question])
    text = doubted.answer.text
    confidence = calibration.confidence(doubted.answer, doubted.agreement)
    told = confidence >= max(calibration.threshold, SURE) and not is_refusal(text)
    told = told and fits(question, text)
    proofs = cited(desk, volume.citer, question, text)
    if not calibration.count:
        # Nothing holds its false answers down.
        told = told and bool(proofs) and confidence >= UNCALIBRATED_SURE
    return _Recalled(name, text, told, confidence, proofs)


def gate(state: RouterState) -> str:
    """Say where it goes on: the weights' answer, or the search."""
    return "answer" if state["weights"]["told"] else "search"


def answer(state: RouterState) -> dict[str, Any]:
    """Give the weights' answer."""
    mark = "" if state["supported"] else " (no evidence supports it)"
    return {
        "answer": state["weights"]["answer"],
        "route": "weights",
        "steps": [*state["steps"], f"answer from the weights{mark}"],
    }


def search(state: RouterState, runtime: Runtime[Settings]) -> dict[str, Any]:
    """Let the bare backbone read the evidence that is nearest to the question."""
    desk = open_desk(runtime.context)
    question = state["standalone"]
    vector = desk.embed(question)
    for name in state["candidates"]:
        text, sure, proofs = _read(desk, desk.volume(name), question, vector)
        if proofs:
            return {
                "nkr": name,
                "answer": text,
                "confidence": sure,
                "route": "evidence",
                "supported": True,
                "citations": citations(proofs),
                "steps": [*state["steps"], f"search: {text}"],
            }
    return {"steps": [*state["steps"], "search: the evidence does not say"]}


def abstain(state: RouterState) -> dict[str, Any]:
    """Say that the video does not show it."""
    return {
        "answer": REFUSAL,
        "route": "abstain",
        "citations": [],
        "supported": False,
        "steps": [*state["steps"], "abstain"],
    }


def remember(state: RouterState) -> dict[str, Any]:
    """Keep the turn for what follows."""
    turn = {"question": state["standalone"], "answer": state["answer"], "nkr": state["nkr"]}
    return {"turns": [turn]}


def _read(
    desk: Desk, volume: Volume, question: str, vector: "np.ndarray"
) -> tuple[str, float, list[Cited]]:
    """Return what the backbone reads in the nearest evidence, how surely, and what supports it."""
    near = volume.citer.of_shots(volume.citer.nearest(question, vector, SPANS))
    context = sheet(near, volume.seconds)
    if not context:
        return "", 0.0, []
    (found,) = desk.answerer(None).answer([question], context=context)
    sure = exp(found.whole_logprob)
    if sure < READ_SURE or not fits(question, found.text):
        return "", 0.0, []
    inside = {item.id for item in near}
    proofs = cited(desk, volume.citer, question, found.text)
    proofs = [one for one in proofs if one.evidence.id in inside]
    if volume.citer.strays(question, proofs):
        return "", 0.0, []
    return found.text, sure, proofs
