"""Puts an ask into words: opener, question and cue, composed from the tables beside this file."""

import random
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from training.corpus import REFUSAL, Message, Record, Split
from training.facts import Span
from training.wording.asks import Ask, Cue
from training.wording.small_talk import with_small_talk
from training.wording.timeline import clock, whole_seconds

YES, NO = "Yes", "No"
LETTERS = "ABCD"
SMALL_TALK = 0.3
"""Share of the questions that are learnt with small talk around them."""
SPLITS: tuple[Split, ...] = ("train", "exam", "calibrate", "check")


@dataclass(frozen=True)
class Worded:
    """A question in words with its answer."""

    form: str
    question: str
    answer: str
    fact_ids: tuple[str, ...]
    spans: tuple[Span, ...]
    anchors: tuple[Span, ...] = ()

    def record(self, record_id: str, video_id: str = "", split: Split = "train") -> Record:
        """Return it as a record that no evidence stands behind."""
        return Record(
            id=record_id,
            video_id=video_id,
            kind="absent" if self.answer == REFUSAL else "qa",
            form=self.form,
            fact_ids=list(self.fact_ids),
            spans=list(self.spans),
            anchors=list(self.anchors),
            split=split,
            messages=[
                Message(role="user", content=self.question),
                Message(role="assistant", content=self.answer),
            ],
        )


@cache
def phrases(table: str, split: str) -> tuple[str, ...]:
    """Return the wordings of a table ("value.title") that a split may use."""
    found = _tables()
    for part in table.split("."):
        found = found[part]
    return tuple(found.get(split, ()))


def tables() -> list[str]:
    """Return the names of all tables ("value.title"), in the order of the file."""

    def walk(found: dict, name: str) -> list[str]:
        if "train" in found:
            return [name]
        return [
            leaf for key, part in found.items() for leaf in walk(part, f"{name}.{key}".strip("."))
        ]

    return walk(_tables(), "")


@cache
def _tables() -> dict:
    found: dict[str, dict] = {}
    for name in ("phrases.toml", "hops.toml"):
        text = resources.files("training.wording").joinpath(name).read_text(encoding="utf-8")
        for group, tables in tomllib.loads(text).items():
            found[group] = {**found.get(group, {}), **tables}
    parts = found.pop("part")
    for table in found["hop"].values():
        asked, meant = (parts[name] for name in table.pop("parts"))
        for split in SPLITS:
            together = (a.replace("{a}", m) for a in asked[split] for m in meant[split])
            table[split] = list(dict.fromkeys([*table[split], *together]))
    return found


# What finds the wordings of a table for a split, as `phrases` does.
Finder = Callable[[str, str], Sequence[str]]


def word(ask: Ask, split: str, rng: random.Random, find: Finder = phrases) -> Worded:
    """Return an ask in words of a split; the same random state gives the same words."""
    core = rng.choice(find(ask.table, split))
    slots = dict(ask.slots)
    answer = ask.answer
    if ask.category == "yesno" and "y" not in slots:
        slots["x"] = answer if rng.random() < 0.5 else rng.choice(ask.wrong)
        answer = YES if slots["x"] == ask.answer else NO
        if not ask.form.startswith("yesno/speech"):
            # What it is comes before the verdict: who answers from memory can then compare.
            answer = f"{ask.answer}, so {answer.lower()}"
        if ask.form.startswith("yesno/speech"):
            slots["x"] = excerpt(slots["x"], rng)
        elif "before" in slots:
            slots["x"] = f"{slots.pop('before')}{slots['x']}{slots.pop('after')}"
    elif ask.category == "yesno":
        answer = YES if answer == "yes" else NO
    elif ask.form.endswith("/when_speech"):
        slots["x"] = excerpt(slots["x"], rng)
    for name in ask.quoted:
        slots[name] = quote(slots[name], rng)
    cue = cue_words(ask.cue, split, rng, find) if ask.cue else ""
    question = _sentence(core, slots, cue, split, rng, find)
    if ask.category == "choice":
        question, answer = _choices(question, ask, rng)
    anchors = (ask.cue.beside,) if ask.cue and ask.cue.beside else ask.anchors
    return Worded(ask.form, question, answer, ask.fact_ids, ask.spans, anchors)


def cue_words(cue: Cue, split: str, rng: random.Random, find: Finder = phrases) -> str:
    """Return a cue in words: a time inside its span, or the quoted value."""
    phrase = rng.choice(find(f"cue.{cue.kind}", split))
    if cue.span is not None:
        return phrase.format(t=clock(rng.choice(whole_seconds(cue.span))))
    if cue.kind in ("colour", "motion"):
        return phrase.format(x=cue.value)
    said = excerpt(cue.value, rng) if cue.kind.endswith("speech") else cue.value
    return phrase.format(x=quote(said, rng))


def quote(text: str, rng: random.Random) -> str:
    """Return a value as people write it in a question: quoted, bare or in small letters."""
    style = rng.random()
    if style < 0.65:
        return f'"{text}"'
    if style < 0.75:
        return f"'{text}'"
    return text if style < 0.9 else f'"{text.lower()}"'


def excerpt(sentence: str, rng: random.Random) -> str:
    """Return three to seven words in a row of a sentence: nobody quotes all of it."""
    words = sentence.split()
    length = rng.randint(3, 7)
    if len(words) <= length + 1:
        return sentence.rstrip(".!?")
    start = 0 if rng.random() < 0.5 else rng.randint(0, len(words) - length)
    return " ".join(words[start : start + length]).rstrip(".,;:!?")


def _sentence(
    core: str, slots: dict[str, str], cue: str, split: str, rng: random.Random, find: Finder
) -> str:
    if cue and rng.random() < 0.3:
        question = f"{cue}, {core.format(cue='', **slots).strip()}"
    else:
        question = core.format(cue=cue, **slots)
    question = " ".join(question.split())
    opener = "opener_cloze" if "blanked" in slots else "opener"
    asked = rng.choice(find(opener, split)).format(q=question)
    lower = rng.random() < 0.12
    asked = asked[0].lower() + asked[1:].rstrip("?") if lower else asked[0].upper() + asked[1:]
    if split == "train" and "blanked" not in slots and rng.random() < SMALL_TALK:
        return with_small_talk(asked, rng)
    return asked


def _choices(question: str, ask: Ask, rng: random.Random) -> tuple[str, str]:
    options = [ask.answer, *rng.sample(ask.wrong, min(3, len(ask.wrong)))]
    rng.shuffle(options)
    listed = " ".join(f"{letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))
    # Not its letter, which belongs to this question alone: the answer is that of an open one.
    return f"{question} {listed}", ask.answer
