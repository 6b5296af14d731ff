"""Token embeddings: words have one token each, a meaning that nothing wears off, and a code."""

import random
from functools import cache
from typing import Any

import torch
from torch.nn.functional import cosine_similarity

from training.pretrain import give_meaning, keep_meaning, losses_of, optimizers
from training.pretraining.curriculum import collate, encode
from training.pretraining.part_probe import PartProbe
from training.pretraining.tiny_vlm import Size, build_model, train_tokenizer
from training.pretraining.token_meanings import embeddings, whole_words
from training.worlds.turns import Talk, Turn
from training.worlds.words import everyday_words

WIDTH = 64


@cache
def tokenizer() -> Any:
    words = [f" {word}" for word in (*everyday_words()[:300], "colour", "color", "lantern")]
    return train_tokenizer(["what is on the slide at 00:12?"], 300, [*words, " Colour"])


def token(text: str) -> int:
    (index,) = tokenizer()(text, add_special_tokens=False)["input_ids"]
    return index


def test_words_are_never_split_and_any_text_comes_back() -> None:
    assert token(" lantern") != token(" colour")
    for text in (" lantern", "Grüße, 世界 3:07\n\tlanterns Lantern"):
        ids = tokenizer()(text, add_special_tokens=False)["input_ids"]
        assert tokenizer().decode(ids) == text


def test_synonyms_lie_close_and_stay_apart() -> None:
    table = embeddings(tokenizer(), WIDTH, seed=0)
    colour = table[token(" colour")]
    synonym = cosine_similarity(colour, table[token(" color")], dim=0)
    capital = cosine_similarity(colour, table[token(" Colour")], dim=0)
    stranger = cosine_similarity(colour, table[token(" lantern")], dim=0)
    assert stranger + 0.2 < synonym < 0.97
    assert stranger + 0.2 < capital < 0.97
    assert torch.equal(table, embeddings(tokenizer(), WIDTH, seed=0))


def test_reading_moves_pieces_and_no_words() -> None:
    model = build_model(tokenizer(), Size(hidden=WIDTH, layers=4, heads=2, intermediate=64), seed=0)
    give_meaning(model, tokenizer(), seed=0)
    keep_meaning(model, tokenizer())
    before = model.get_input_embeddings().weight.detach().clone()
    row = encode(tokenizer(), Talk((), [Turn("Which is it?", "the colour of it?")]))
    batch = collate([row], tokenizer().pad_token_id, random.Random(0))
    losses_of(model, PartProbe(WIDTH), batch).answers.backward()
    for opt in optimizers(model, 1e-2):
        opt.step()
    moved = (model.get_input_embeddings().weight != before).any(dim=1)
    assert not moved[list(whole_words(tokenizer()))].any()
    assert moved[token("?")]
