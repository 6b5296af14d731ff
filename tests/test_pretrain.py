"""Pretraining: batches that a resumed run meets again, and the optimizer of its matrices."""

from itertools import islice

import torch

from training.backbone import EMBEDDED
from training.curriculum import POOL, batches
from training.muon import Muon, orthogonal
from training.pretrain import loss_of, optimizers
from training.tiny_vlm import Size, build_model


def embedded_tokenizer():  # type: ignore[no-untyped-def]
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(EMBEDDED)


def test_a_resumed_run_reads_on_where_it_was() -> None:
    tokenizer = embedded_tokenizer()
    read = list(islice(batches(tokenizer, 3, 0), 60))
    (number, place, batch) = read[-1]
    assert number >= POOL, "the second pool has begun"
    again = next(found for found in batches(tokenizer, 3, number) if found[1] == place)
    assert again[:2] == (number, place)
    assert torch.equal(again[2].ids, batch.ids)
    assert torch.equal(again[2].weights, batch.weights)


def test_a_few_steps_lower_the_loss() -> None:
    tokenizer = embedded_tokenizer()
    size = Size(hidden=32, layers=1, heads=2, intermediate=64)
    model = build_model(tokenizer, size, seed=0)
    _, _, batch = next(batches(tokenizer, 0, 0))
    first, _ = loss_of(model, batch)
    opts = optimizers(model, 1e-2)
    for _ in range(10):
        loss, _ = loss_of(model, batch)
        loss.backward()
        for opt in opts:
            opt.step()
            opt.zero_grad()
    assert loss < first - 1


def test_orthogonal_keeps_directions_and_evens_their_sizes() -> None:
    matrix = torch.randn(2, 6, 20, generator=torch.Generator().manual_seed(0))
    for stack in (matrix, matrix.mT):
        sizes = torch.linalg.svdvals(orthogonal(stack))
        assert sizes.shape == (2, 6)
        assert (sizes > 0.6).all()
        assert (sizes < 1.3).all()
        assert ((orthogonal(stack) * stack).sum((1, 2)) > 0).all()


def test_muon_goes_on_from_its_state() -> None:
    target = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))

    def run(steps: int, weight: torch.nn.Parameter, opt: Muon) -> None:
        for _ in range(steps):
            ((weight - target) ** 2).sum().backward()
            opt.step()
            opt.zero_grad()

    whole = torch.nn.Parameter(torch.zeros(4, 8))
    run(20, whole, Muon([whole], lr=0.1))
    first = torch.nn.Parameter(torch.zeros(4, 8))
    opt = Muon([first], lr=0.1)
    run(10, first, opt)
    second = torch.nn.Parameter(first.detach().clone())
    resumed = Muon([second], lr=0.1)
    resumed.load_state_dict(opt.state_dict())
    run(10, second, resumed)
    assert torch.equal(whole, second)
    assert ((whole - target) ** 2).sum() < 0.8 * (target**2).sum()
