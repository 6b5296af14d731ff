"""Invented sentences together with what they say, from the templates in `sentences.txt`."""

import random
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

from training.facts import Relation, RelationKind
from training.worlds.lexicon import lexicon, slots

_SLOT = re.compile(r"(\w+)=")


@cache
def templates() -> list[tuple[str, list[tuple[str, dict[str, str], str]]]]:
    """Return the templates: text, and for each relation its kind, slots and answer."""
    text = resources.files("training.worlds").joinpath("sentences.txt").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        sentence, *relations = line.split(" | ")
        parsed = []
        for relation in relations:
            meaning, answer = relation.split(" -> ")
            kind, _, rest = meaning.partition(" ")
            parts = _SLOT.split(rest)[1:]
            named = {k: v.strip() for k, v in zip(parts[::2], parts[1::2], strict=True)}
            parsed.append((kind, named, answer))
        found.append((sentence, parsed))
    return found


def everyday(rng: random.Random, words: Sequence[str]) -> str:
    """Return one of the words, the frequent ones more often."""
    return words[int(len(words) * rng.random() ** 2)]


def filler(rng: random.Random, words: Sequence[str]) -> str:
    """Return three to seven everyday words: speech that no template foresees."""
    count = rng.randint(3, 7)
    chosen = [
        rng.choice(("the", "of", "and", "in", "a", "to", "is", "with", "for"))
        if place % 2
        else everyday(rng, words)
        for place in range(count)
    ]
    return " ".join(chosen)


def sentence(rng: random.Random, words: Sequence[str]) -> tuple[str, list[Relation]]:
    """Return a sentence and its relations; a cloze is added to most."""
    template, relations = rng.choice(templates())
    values = slots(rng)
    values["filler"], values["filler2"] = filler(rng, words), filler(rng, words)
    text = _fill(template, values)
    text = text[0].upper() + text[1:]
    found = []
    for kind, named, answer in relations:
        filled = {name: _fill(part, values) for name, part in named.items()}
        found.append(_relation(kind, filled, _fill(answer, values), text))
    if rng.random() < 0.7:
        found.append(cloze(text, rng))
    return text, found


def short_sentence(rng: random.Random, words: Sequence[str]) -> tuple[str, list[Relation]]:
    """Return two to four everyday words as a sentence that says nothing of anything."""
    text = " ".join(everyday(rng, words) for _ in range(rng.randint(2, 4)))
    return f"{text.capitalize()}.", []


def label(rng: random.Random, words: Sequence[str]) -> str:
    """Return a word, a name or a number: the shortest of titles."""
    style = rng.random()
    if style < 0.6:
        return everyday(rng, words).capitalize()
    values = slots(rng)
    return values[rng.choice(("name", "city", "topic", "number", "thing"))].capitalize()


def cloze(text: str, rng: random.Random) -> Relation:
    """Return the relation that asks for one to three hidden words of a sentence."""
    words = text.rstrip(".").split()
    length = min(rng.choice((1, 1, 2, 3)), max(1, len(words) - 2))
    starts = [i for i in range(len(words) - length + 1) if len(words[i + length - 1]) > 3]
    start = rng.choice(starts or [0])
    hidden = " ".join(words[start : start + length]).strip(",")
    blanked = " ".join([*words[:start], "____", *words[start + length :]])
    return _relation("cloze", {"blanked": blanked}, hidden, text)


def _relation(kind: str, slots: dict[str, str], answer: str, text: str) -> Relation:
    return Relation.model_construct(kind=_kind(kind), slots=slots, answer=answer, sentence=text)


def _kind(kind: str) -> RelationKind:
    return kind  # type: ignore[return-value]


def _fill(template: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)


def title(rng: random.Random, words: Sequence[str]) -> str:
    """Return a slide's title or a line of its text."""
    values = slots(rng)
    style = rng.random()
    if style < 0.15:
        text = values["topic"]
    elif style < 0.6:
        text = " ".join(everyday(rng, words) for _ in range(rng.choice((1, 2, 2, 3, 3, 4))))
        text = text.title() if rng.random() < 0.6 else text.capitalize()
    elif style < 0.75:
        text = values[rng.choice(("named", "facility", "person", "name"))]
    elif style < 0.85:
        text = f"{values['topic']}: {values[rng.choice(('number', 'person', 'city', 'date'))]}"
    elif style < 0.95:
        text = f"The {values['adjective']} {values['thing']}"
    else:
        text = f"{rng.choice(lexicon()['topic'])} {rng.randint(1, 30)}"
    return text.upper() if rng.random() < 0.1 else text
