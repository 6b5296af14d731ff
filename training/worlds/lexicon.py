"""Names, places, things and times that invented videos and absent questions are made of."""

import random
import tomllib
from functools import cache
from importlib import resources

_ONSETS = (
    "b", "br", "d", "dr", "f", "g", "gr", "h", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t",
    "tr", "v", "z",
)  # fmt: skip
_NUCLEI = ("a", "e", "i", "o", "u", "ai", "ea", "io", "ou")
_CODAS = ("", "", "l", "n", "r", "s", "th", "rn", "ck", "ld", "m")


@cache
def lexicon() -> dict[str, list[str]]:
    """Return the word lists of `lexicon.toml` by name."""
    return tomllib.loads(
        resources.files("training.worlds").joinpath("lexicon.toml").read_text(encoding="utf-8")
    )


def invented_word(rng: random.Random) -> str:
    """Return a capitalised word that no dictionary has, of two or three syllables."""
    count = rng.choice((2, 2, 3))
    parts = (rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS) for _ in range(count))
    return "".join(parts).capitalize()


def name(rng: random.Random) -> str:
    """Return a proper name of one word."""
    if rng.random() < 0.4:
        return invented_word(rng)
    return rng.choice(lexicon()[rng.choice(("last", "city", "first"))])


def person(rng: random.Random) -> str:
    """Return a person's name, with or without title and first name."""
    words = lexicon()
    last = invented_word(rng) if rng.random() < 0.3 else rng.choice(words["last"])
    style = rng.random()
    if style < 0.1:
        return f"Dr. {last}"
    return last if style < 0.15 else f"{rng.choice(words['first'])} {last}"


def city(rng: random.Random) -> str:
    """Return a city's name."""
    return invented_word(rng) if rng.random() < 0.35 else rng.choice(lexicon()["city"])


def number(rng: random.Random) -> str:
    """Return a number in figures or as a word."""
    style = rng.random()
    if style < 0.3:
        return rng.choice(lexicon()["number_word"])
    if style < 0.6:
        return str(rng.randint(2, 99))
    if style < 0.85:
        return str(rng.randint(100, 999))
    return f"{rng.randint(1, 99)},{rng.randint(0, 999):03d}"


def slots(rng: random.Random) -> dict[str, str]:
    """Return one value for each slot that a sentence may have."""
    words = lexicon()
    chosen = {key: rng.choice(values) for key, values in words.items()}
    verb = rng.randrange(len(words["past"]))
    plural, plural2 = rng.sample(words["plural"], 2)
    thing, thing2 = rng.sample(words["thing"], 2)
    month, day, year = rng.choice(words["month"]), rng.randint(1, 28), rng.randint(1700, 2030)
    return chosen | {
        "person": person(rng),
        "city": city(rng),
        "city2": city(rng),
        "region": invented_word(rng) if rng.random() < 0.2 else chosen["region"],
        "year": str(year),
        "date": rng.choice((f"{month} {day}, {year}", f"{day} {month} {year}", f"{month} {year}")),
        "hour": rng.choice(
            (
                f"{rng.randint(1, 12)} o'clock",
                f"{rng.randint(6, 22)}:{rng.choice(('00', '15', '30', '45'))}",
            )
        ),
        "number": number(rng),
        "number2": number(rng),
        "percent": f"{rng.randint(2, 95)} percent",
        "name": name(rng),
        "owner": rng.choice((name(rng), invented_word(rng).upper()[:4])),
        "named": " ".join(
            (name(rng), rng.choice(("", "", chosen["adjective"] + " ")) + chosen["head"])
        ),
        "facility": f"{name(rng)} {chosen['facility']}",
        "topic_low": chosen["topic"].lower(),
        "past": words["past"][verb],
        "base": words["base"][verb],
        "plural": plural,
        "plural2": plural2,
        "thing": thing,
        "thing2": thing2,
    }
