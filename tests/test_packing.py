"""Packing and the chunked loss: the same numbers as records one by one and logits held whole."""

import pytest
import torch
from torch import nn

from training.pretraining.tiny_vlm import Size, build_model, train_tokenizer
from training.trainer import answer_loss
from training.trainer.answer_loss import answer_losses
from training.trainer.packing import can_pack, pack


@pytest.fixture(scope="module")
def qwen3_vl():  # type: ignore[no-untyped-def]
    size = Size(hidden=32, layers=2, heads=2, intermediate=64)
    return build_model(train_tokenizer(["a b c"], 300), size, seed=0).eval()


@pytest.fixture(scope="module")
def qwen2_5_vl():  # type: ignore[no-untyped-def]
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(0)
    text = {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [2, 3, 3],
        },
        "pad_token_id": 0,
    }
    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 32}
    config = Qwen2_5_VLConfig(text_config=text, vision_config={**vision, "intermediate_size": 64})
    return Qwen2_5_VLForConditionalGeneration(config).eval()


@pytest.fixture(scope="module")
def qwen3_5():  # type: ignore[no-untyped-def]
    from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

    torch.manual_seed(0)
    text = {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 2,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [1, 1, 0],
            "partial_rotary_factor": 0.25,
        },
        "pad_token_id": 0,
    }
    vision = {"depth": 1, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 32}
    config = Qwen3_5Config(text_config=text, vision_config={**vision, "intermediate_size": 64})
    return Qwen3_5ForConditionalGeneration(config).eval()


@pytest.mark.parametrize("name", ["qwen3_vl", "qwen2_5_vl", "qwen3_5"])
def test_packed_records_are_what_they_are_one_by_one(
    name: str, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name)
    rows = [[5, 6, 7, 8, 9], [10, 11], [12, 13, 14]]
    ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    mask = (ids > 0).long()
    answers = torch.zeros(3, 4, dtype=torch.bool)
    answers[0, 2:] = answers[1, :1] = answers[2, 1:2] = True

    def packed(ids: torch.Tensor) -> torch.Tensor:
        one = pack(ids, mask, answers)
        assert one.ids.shape == (1, sum(map(len, rows)))
        with torch.no_grad():
            logits = model(
                input_ids=one.ids,
                attention_mask=one.visible(),
                position_ids=one.places,
                use_cache=False,
            ).logits
        return logits[0][one.answers]

    with torch.no_grad():
        alone = [model(input_ids=torch.tensor([row])).logits[0] for row in rows]
    expected = torch.cat([alone[0][2:4], alone[1][:1], alone[2][1:2]])
    changed = ids.clone()
    changed[0, 0] = 99
    apart = torch.equal(packed(changed)[2:], packed(ids)[2:])
    assert apart == can_pack(model), "no record sees another, or none is packed"
    if not apart:
        return
    assert torch.allclose(packed(ids), expected, atol=1e-4)
    assert not torch.allclose(packed(changed)[:2], packed(ids)[:2], atol=1e-4)


def test_the_loss_in_chunks_is_the_whole_one_and_so_is_its_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    head = nn.Linear(8, 50, bias=False)
    labels, tokens = torch.randint(50, (30,)), torch.randint(50, (30, 4))
    shares = torch.rand(30, 4) * (torch.arange(30) % 3 == 0)[:, None]
    states = torch.randn(30, 8)

    def told() -> tuple[torch.Tensor, torch.Tensor]:
        hidden = states.clone().requires_grad_()
        losses = answer_losses(head, hidden, labels, tokens, shares)
        losses.sum().backward()
        assert hidden.grad is not None
        return losses.detach(), hidden.grad

    whole, slope = told()
    sizes: list[int] = []
    head.register_forward_hook(lambda module, args, out: sizes.append(len(args[0])))
    monkeypatch.setattr(answer_loss, "MOST_LOGITS", 50 * 7)
    chunked, chunked_slope = told()
    assert max(sizes) == 7
    assert torch.allclose(whole, chunked, atol=1e-6)
    assert torch.allclose(slope, chunked_slope, atol=1e-6)
    logits = (states @ head.weight.T).log_softmax(-1)
    by_label = -logits[torch.arange(30), labels]
    by_teacher = -(shares * logits.gather(1, tokens)).sum(1)
    expected = torch.where(torch.arange(30) % 3 == 0, by_teacher, by_label)
    assert torch.allclose(whole, expected, atol=1e-5)
