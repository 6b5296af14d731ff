"""Closed-class words and verb forms, read from `lexicon.toml`."""

import tomllib
from functools import cache
from importlib import resources

_VOWELS = "aeiou"


@cache
def words(entry: str) -> frozenset[str]:
    """Return the words of a lexicon entry ("function.preposition"), as they are written there."""
    group, name = entry.split(".")
    return frozenset(_tables()[group][name].split())


@cache
def lines(entry: str) -> tuple[str, ...]:
    """Return a lexicon entry that is a list of lines."""
    group, name = entry.split(".")
    return tuple(_tables()[group][name])


@cache
def _tables() -> dict:
    text = resources.files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _principal_parts() -> dict[str, tuple[str, str]]:
    """Return past and past participle of each verb by its base form."""
    doubled = words("verb.double")
    parts = {verb: (_past(verb, doubled),) * 2 for verb in words("verb.regular")}
    parts |= {verb: (_past(verb, doubled),) * 2 for verb in words("verb.extra")}
    for line in lines("verb.irregular"):
        base, past, participle = line.split()
        parts[base] = past, participle
    return parts


@cache
def _forms() -> dict[str, frozenset[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for base, (past, participle) in _principal_parts().items():
        for form, tag in (
            (base, "base"),
            (third_person(base), "third"),
            (past, "past"),
            (participle, "participle"),
            (_gerund(base), "gerund"),
        ):
            found.setdefault(form, set()).add((base, tag))
    return {form: frozenset(readings) for form, readings in found.items()}


def readings(word: str, *tags: str) -> list[str]:
    """Return the base forms of the verbs that a word may be a form of, with one of the tags.

    Tags: base, third, past, participle, gerund.
    """
    return sorted({base for base, tag in _forms().get(word, ()) if tag in tags})


def is_verb_form(word: str, *tags: str) -> bool:
    """Return whether a word may be such a form of a verb that the lexicon knows."""
    return bool(readings(word, *tags))


def past_form(base: str) -> str:
    """Return the past of a verb of the lexicon."""
    return _principal_parts()[base][0]


def participle(base: str) -> str:
    """Return the past participle of a verb of the lexicon."""
    return _principal_parts()[base][1]


def third_person(base: str) -> str:
    """Return a verb's form after he, she, it."""
    if base in ("be", "have"):
        return {"be": "is", "have": "has"}[base]
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in _VOWELS:
        return base[:-1] + "ies"
    return base + "s"


def is_plural(word: str) -> bool:
    """Return whether a lower-case noun looks like a plural."""
    if word in words("noun.irregular_plural"):
        return True
    if word in words("noun.singular_s"):
        return False
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "'s"))


def _past(base: str, doubled: frozenset[str]) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in _VOWELS:
        return base[:-1] + "ied"
    return base + base[-1] + "ed" if base in doubled else base + "ed"


def _gerund(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "be")):
        return base[:-1] + "ing"
    short = len(base) == 3 and base[1] in _VOWELS and base[2] not in "wxy" + _VOWELS
    if base in words("verb.double") or short or base in ("begin", "swim", "split", "spin"):
        return base + base[-1] + "ing"
    return base + "ing"
