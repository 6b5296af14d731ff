"""Hold a local model to a JSON schema: at each place only tokens that can still become such JSON.

Through `llguidance`, which does the same in vLLM and SGLang. Bounds are put on what a schema leaves
open (letters of a text, items of a list), so that every reply comes to an end.
"""

import json
from functools import lru_cache
from typing import Any

import torch
from transformers import LogitsProcessor

MOST_ITEMS, MOST_LETTERS = 32, 2000
LARGEST_NUMBER = 99_999
# As models write JSON; with free white space a reply need never end.
SPACING: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class JsonGuide(LogitsProcessor):
    """Masks the scores of one reply [1, vocabulary] after ``prompt`` tokens; made for each reply.

    Raises ValueError for a schema that cannot be held to.
    """

    def __init__(
        self,
        tokenizer: Any,
        schema: dict[str, Any],
        prompt: int,
        *,
        items: int = MOST_ITEMS,
        letters: int = MOST_LETTERS,
    ) -> None:
        from llguidance import LLMatcher

        bounds = json.dumps(bounded(schema, items, letters))
        grammar = LLMatcher.grammar_from_json_schema(bounds, overrides=SPACING)
        self._matcher = LLMatcher(_tokens(tokenizer), grammar)
        self._read = prompt
        self._check()

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores with minus infinity at every token that cannot follow."""
        if written := input_ids[0, self._read :].tolist():
            self._matcher.consume_tokens(written)
            self._read = input_ids.shape[1]
        self._check()
        bits = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        allowed = (bits[:, None] >> torch.arange(8, dtype=torch.uint8) & 1).bool().flatten()
        # A head may have more places than there are tokens.
        masked = torch.full_like(scores, float("-inf"))
        allowed = allowed[: scores.shape[1]].to(scores.device)
        masked[0, : len(allowed)] = scores[0, : len(allowed)].where(allowed, float("-inf"))
        return masked

    def _check(self) -> None:
        if self._matcher.is_error():
            raise ValueError(self._matcher.get_error())


def bounded(schema: Any, items: int, letters: int) -> Any:
    """Return a JSON schema with bounds where it has none."""
    if isinstance(schema, list):
        return [bounded(part, items, letters) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: bounded(part, items, letters) for name, part in schema.items()}
    if found.get("type") == "array":
        found.setdefault("maxItems", items)
    elif found.get("type") == "string" and "enum" not in found:
        found.setdefault("maxLength", letters)
    elif found.get("type") in ("number", "integer"):
        found = {"minimum": 0, "maximum": LARGEST_NUMBER, **found}
        if found["type"] == "number":
            found.setdefault("multipleOf", 0.01)
    return found


@lru_cache(maxsize=2)
def _tokens(tokenizer: Any) -> Any:
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer)
