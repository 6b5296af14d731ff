"""Many NKRs on one backbone: each answers as if it were mounted alone."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_library import OTHERS
from tiny_nkr import PAIRS

from training.backbone import Backbone
from training.errors import NKRError
from training.generate import Generator
from training.mount import mount
from training.nkr import NKR, read_nkr
from training.rack import Rack
from training.slots import BARE, Adapter, Slots

pytest_plugins = ("tiny_nkr", "tiny_library")


@pytest.fixture
def nkrs(library_folder: Path) -> list[NKR]:
    return [
        read_nkr(library_folder / name, weights_only=True)
        for name in ("lamp-11111111", "harbour-22222222")
    ]


def test_rows_of_one_batch_go_through_their_own_adapters(
    backbone: Backbone, nkrs: list[NKR]
) -> None:
    questions = [question for question, _ in PAIRS]
    alone = [mount(backbone, nkr).answer(questions) for nkr in nkrs]
    bare = mount(backbone, nkrs[0]).blind.answer(questions)
    rack = Rack(backbone)
    found = rack.ask([(nkr, question) for question in questions for nkr in (*nkrs, None)])
    rack.close()
    expected = [answer for row in zip(*alone, bare, strict=True) for answer in row]
    assert [answer.text for answer in found] == [answer.text for answer in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=2e-2)
    assert [a.text for a in found[::3]] == [answer for _, answer in PAIRS]
    assert [a.text for a in found[1::3]] == [answer for _, answer in OTHERS]


def test_a_closed_rack_leaves_the_backbone_bare(backbone: Backbone, nkrs: list[NKR]) -> None:
    before = Generator(backbone).answer([PAIRS[0][0]])
    rack = Rack(backbone)
    rack.ask([(nkrs[0], PAIRS[0][0])])
    rack.close()
    assert not any("slots" in type(module).__module__ for module in backbone.model.modules())
    (after,) = Generator(backbone).answer([PAIRS[0][0]])
    assert (after.text, after.logprob) == (before[0].text, before[0].logprob)
    with pytest.raises(NKRError, match="shut down"):
        rack.ask([(nkrs[0], "Who?")])


def test_a_rack_that_is_closed_lets_nobody_wait(
    backbone: Backbone, nkrs: list[NKR], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    answered = Rack._answer

    def slowly(rack: Rack, batch: Any) -> None:
        begun.set()
        goes_on.wait(20)
        answered(rack, batch)

    monkeypatch.setattr(Rack, "_answer", slowly)
    rack = Rack(backbone)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(rack.ask, [(nkrs[0], PAIRS[0][0])])
        begun.wait(20)
        later = pool.submit(rack.ask, [(nkrs[0], PAIRS[1][0])])
        while not rack._waiting:
            time.sleep(0.01)
        closing = pool.submit(rack.close)
        with pytest.raises(NKRError, match="shut down"):
            later.result(20)
        goes_on.set()
        closing.result(20)
        assert first.result(20)[0].text == PAIRS[0][1]


@pytest.mark.parametrize("slots", [1, 8])
def test_no_thread_gets_anothers_answer(backbone: Backbone, nkrs: list[NKR], slots: int) -> None:
    """More NKRs than slots, hardly memory for one, and many threads."""
    rack = Rack(backbone, slots=slots, memory=1)
    known = [dict(PAIRS), dict(OTHERS)]

    def asks(number: int) -> list[str]:
        which = number % 2
        seat = rack.of(nkrs[which])
        wrong = []
        for question, expected in known[which].items():
            (answer,) = seat.answer([question])
            if answer.text != expected:
                wrong.append(answer.text)
        return wrong

    with ThreadPoolExecutor(12) as pool:
        assert [wrong for found in pool.map(asks, range(24)) for wrong in found] == []
    rack.close()


def test_a_question_too_long_spoils_no_other(backbone: Backbone, nkrs: list[NKR]) -> None:
    rack = Rack(backbone)
    started = threading.Barrier(2)

    def ask(question: str) -> str:
        started.wait()
        return rack.of(nkrs[0]).answer([question])[0].text

    with ThreadPoolExecutor(2) as pool:
        long, short = pool.submit(ask, "lamp " * 5000), pool.submit(ask, PAIRS[0][0])
        assert short.result() == PAIRS[0][1]
        with pytest.raises(NKRError, match="too long"):
            long.result()
    rack.close()


def test_an_nkr_that_was_replaced_meanwhile_is_told(
    backbone: Backbone, library_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "lamp"
    shutil.copytree(library_folder / "lamp-11111111", folder)
    nkr = read_nkr(folder, weights_only=True)
    shutil.rmtree(folder)
    shutil.copytree(library_folder / "harbour-22222222", folder)
    rack = Rack(backbone)
    with pytest.raises(NKRError, match="replaced"):
        rack.of(nkr).answer(["Who?"])
    rack.close()


def test_an_nkr_of_other_weights_is_refused(backbone: Backbone, nkrs: list[NKR]) -> None:
    other = replace(backbone, revision="0" * 64)
    rack = Rack(other)
    with pytest.raises(NKRError, match="other weights"):
        rack.of(nkrs[0])
    rack.close()


def test_slots_hold_adapters_of_different_ranks_and_forget_them(
    backbone: Backbone, nkrs: list[NKR]
) -> None:
    wide, narrow = (Adapter(nkr.folder) for nkr in nkrs)
    assert wide.rank > narrow.rank
    slots = Slots(backbone.model, 2)
    ids = torch.tensor([[5, 6, 7]])

    def logits(slot: int) -> torch.Tensor:
        slots.choose([slot])
        with torch.inference_mode():
            return backbone.model(input_ids=ids).logits

    bare = logits(BARE)
    slots.put(1, narrow)
    slots.put(2, wide)
    first = logits(1)
    assert not torch.equal(first, logits(2))
    slots.put(1, wide)
    assert torch.allclose(logits(1), logits(2))
    slots.put(1, narrow)
    assert torch.allclose(logits(1), first, atol=1e-5)
    assert torch.equal(logits(BARE), bare)
    slots.close()


def test_an_adapter_that_does_not_fit_leaves_its_slot_empty(
    backbone: Backbone, nkrs: list[NKR]
) -> None:
    slots = Slots(backbone.model, 1)
    ids = torch.tensor([[5, 6, 7]])
    slots.choose([1])
    with torch.inference_mode():
        bare = backbone.model(input_ids=ids).logits
        for name, fits in (("model.nowhere", "does not have"), (None, "another backbone")):
            adapter = Adapter(nkrs[0].folder)
            last = list(adapter.layers)[-1]
            a, b = adapter.layers.pop(last)
            adapter.layers[name or last] = (a[:, :-1], b)
            with pytest.raises(NKRError, match=fits):
                slots.put(1, adapter)
            assert torch.equal(backbone.model(input_ids=ids).logits, bare)
    slots.close()
