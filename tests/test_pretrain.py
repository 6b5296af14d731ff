"""Pretraining: batches that a resumed run meets again, and the optimizer of its matrices."""

import random
from itertools import islice

import torch

from training.backbone import EMBEDDED
from training.pretrain import layer_states, losses_of, optimizers
from training.pretraining.curriculum import POOL, batches, collate, encode
from training.pretraining.muon import Muon, orthogonal
from training.pretraining.part_probe import PartProbe
from training.pretraining.tiny_vlm import Size, build_model
from training.worlds.turns import Talk, Turn


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
    size = Size(hidden=32, layers=4, heads=2, intermediate=64)
    model = build_model(tokenizer, size, seed=0)
    _, _, batch = next(batches(tokenizer, 0, 0))
    probe = PartProbe(size.hidden)
    first = losses_of(model, probe, batch).answers
    opts = optimizers(model, 1e-2)
    for _ in range(10):
        loss = losses_of(model, probe, batch).answers
        loss.backward()
        for opt in opts:
            opt.step()
            opt.zero_grad()
    assert loss < first - 1


def test_a_question_reads_the_sheet_and_itself_alone() -> None:
    """What the batch computes for a question is what the model makes of it asked by itself."""
    tokenizer = embedded_tokenizer()
    model = build_model(tokenizer, Size(hidden=32, layers=2, heads=2, intermediate=64), seed=0)
    turns = [Turn("What is the title?", "Lamp"), Turn("Which colour is it at 00:03?", "blue")]
    sheet = ("[00:00-00:05] The title is Lamp.", "[00:05-00:09] The title is Moon.")

    def states(*turns: Turn) -> torch.Tensor:
        row = encode(tokenizer, Talk(sheet, list(turns)))
        batch = collate([row], tokenizer.pad_token_id, random.Random(0))
        state = layer_states(model, batch)[0][-1][0]
        return state[batch.questions[0] == len(turns)]

    assert torch.allclose(states(*turns), states(turns[1]), atol=1e-5)
    read = f"{chr(10).join(sheet)}\n\n{turns[1].user}"
    text = f"<|im_start|>user\n{read}<|im_end|>\n<|im_start|>assistant\n"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
        told = model.lm_head(model.model.language_model.norm(states(turns[1])))
    answer = len(tokenizer("blue<|im_end|>\n", add_special_tokens=False)["input_ids"])
    assert torch.allclose(told[-answer - 1], logits, atol=1e-4)


def test_the_probe_is_told_of_parts_that_a_token_knows() -> None:
    tokenizer = embedded_tokenizer()
    sheet = ("At 00:00 one sees the lamp.", "At 00:05 one sees the moon.")
    row = encode(tokenizer, Talk(sheet, [Turn("Is it the moon there?", "Yes", part=2)]))
    told = {tokenizer.decode([i]).strip(): p for i, p in zip(row.ids, row.parts, strict=True)}
    asked = [p for p, q, o in zip(row.parts, row.questions, row.opens, strict=True) if q and not o]
    assert told["lamp"] == 1
    assert sorted(set(asked)) == [0, 2], "only the word that one part alone has tells a part"
    assert {p for p, opens in zip(row.parts, row.opens, strict=True) if opens} == {2}


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
