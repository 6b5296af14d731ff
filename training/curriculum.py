"""What pretraining reads: invented talks, from easy to hard, in batches of like length."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from training.worlds.documents import document, echo
from training.worlds.turns import Talk
from training.worlds.words import everyday_words

# The share of the tokens outside answers that are learnt too, and how lightly.
OTHER_SHARE = 0.04
OTHER_WEIGHT = 0.1
POOL = 192
# The tokens from a question's end to its answer's beginning.
_OPENING = 5


@dataclass(frozen=True)
class Stage:
    """A part of the curriculum, up to the document numbered ``until``.

    ``echoed`` is the share of talks that only repeat what was said, ``terse`` that of the others
    whose videos are many shots of a word or two; ``batch_tokens`` is the size of a batch with its
    padding.
    """

    until: float
    most_shots: int
    echoed: float
    terse: float
    batch_tokens: int


# First copying, then reading from longer and longer descriptions. Copying is taught by itself, in
# small batches: mixed into the questions the loss stood still, alone it fell at once. What belongs
# to one shot is taught by terse videos: in a long description of few shots a guess is often right.
STAGES = (
    Stage(3072, 1, 1.0, 0.0, 1536),
    Stage(6144, 1, 0.1, 0.2, 2560),
    Stage(12000, 2, 0.05, 0.5, 3072),
    Stage(math.inf, 4, 0.02, 0.25, 3072),
)


@dataclass
class Encoded:
    """A talk's token ids; of each token the answer it is part of, and the question (0: none).

    A token reads those before it that belong to its own question or to none. ``parts`` are what the
    `PartProbe` is to tell of each token (0: nothing).
    """

    ids: list[int]
    answers: list[int]
    questions: list[int]
    parts: list[int]
    opens: list[bool]

    def add(
        self,
        piece: list[int],
        *,
        answer: int = 0,
        question: int = 0,
        part: int = 0,
        opens: bool = False,
    ) -> None:
        """Put tokens to the end; where they open an answer, ``part`` is the one it is read from."""
        self.ids += piece
        self.answers += [answer] * len(piece)
        self.questions += [question] * len(piece)
        self.parts += [part] * len(piece)
        self.opens += [opens] * len(piece)


@dataclass
class Batch:
    """Tokens, places, questions, parts and openings [rows, length]; what is learnt [learnt].

    ``learnt`` are the flat positions whose next token is learnt, ``weights`` how much, ``answers``
    the number of the answer that it is part of (0: none). ``tokens`` counts no padding.
    """

    ids: torch.Tensor
    places: torch.Tensor
    questions: torch.Tensor
    parts: torch.Tensor
    opens: torch.Tensor
    learnt: torch.Tensor
    weights: torch.Tensor
    answers: torch.Tensor
    tokens: int

    @cached_property
    def of_sheet(self) -> torch.Tensor:
        """Which tokens [rows, length] are of a sheet's part."""
        return (self.questions == 0) & (self.parts > 0) & ~self.opens

    @cached_property
    def of_question(self) -> torch.Tensor:
        """Which tokens [rows, length] are a question's words that only one part has."""
        return (self.questions > 0) & (self.parts > 0) & ~self.opens

    @cached_property
    def visible(self) -> torch.Tensor:
        """Return what each token reads [rows, 1, length, length]."""
        length = self.ids.shape[1]
        before = torch.ones(length, length, dtype=torch.bool).tril()
        by, of = self.questions[:, :, None], self.questions[:, None, :]
        return (before & ((of == 0) | (of == by)))[:, None]


def encode(tokenizer: Any, talk: Talk) -> Encoded:
    """Return a talk in the chat format."""

    def tokens(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    encoded = Encoded([], [], [], [], [])
    opening = "<|im_start|>user\n"
    encoded.add(tokens(opening))
    parts: defaultdict[int, set[int]] = defaultdict(set)
    for part, text in enumerate(talk.sheet, start=1):
        piece = tokens(text + ("\n" if part < len(talk.sheet) else "\n\n"))
        encoded.add(piece, part=part)
        for token in piece:
            parts[token].add(part)
    for number, turn in enumerate(talk.turns, start=1):
        question = 0 if talk.together else number
        begun = opening if talk.together and number > 1 else ""
        asked = tokens(f"{begun}{turn.user}<|im_end|>\n<|im_start|>assistant\n")
        for token in asked[:-_OPENING]:
            # A word that only one part has tells which part is meant.
            (part, *others) = parts.get(token) or (0,)
            encoded.add([token], question=question, part=0 if others or talk.together else part)
        encoded.add(asked[-_OPENING:], question=question, part=turn.part, opens=True)
        encoded.add(tokens(f"{turn.assistant}<|im_end|>"), answer=number, question=question)
        encoded.add(tokens("\n"), question=question)
    return encoded


def batches(
    tokenizer: Any, seed: int, first: int, stages: Sequence[Stage] = STAGES
) -> Iterator[tuple[int, int, Batch]]:
    """Yield batches of talks of like length, a pool of talks after the other.

    With each come the number of its pool's first talk, ``first`` to begin with, and its place in
    the pool.
    """
    words = everyday_words()
    while True:
        pool = []
        for number in range(first, first + POOL):
            rng = random.Random(f"{seed}-{number}")
            stage = next(stage for stage in stages if number < stage.until)
            if rng.random() < stage.echoed:
                talk = echo(rng, words)
            else:
                terse = rng.random() < stage.terse
                talk = document(rng, words, most_shots=stage.most_shots, terse=terse)
            pool.append(encode(tokenizer, talk))
        pool.sort(key=lambda talk: len(talk.ids))
        rows: list[Encoded] = []
        grouped = []
        for encoded in pool:
            if rows and (len(rows) + 1) * len(encoded.ids) > stage.batch_tokens:
                grouped.append(rows)
                rows = []
            rows.append(encoded)
        grouped.append(rows)
        random.Random(f"{seed}-order-{first}").shuffle(grouped)
        for place, rows in enumerate(grouped):
            rng = random.Random(f"{seed}-{first}-{place}")
            yield first, place, collate(rows, tokenizer.pad_token_id, rng)
        first += POOL


def collate(rows: list[Encoded], pad: int, rng: random.Random) -> Batch:
    """Return talks as one padded batch.

    A long answer weighs more than a short one by the root of its length: its later words are easy.
    """
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), pad)
    places = torch.arange(length).repeat(len(rows), 1)
    questions = torch.full((len(rows), length), -1)
    parts = torch.zeros((len(rows), length), dtype=torch.long)
    opens = torch.zeros((len(rows), length), dtype=torch.bool)
    learnt, weights, answers, most = [], [], [], 1 + max(max(row.answers) for row in rows)
    for index, row in enumerate(rows):
        end = len(row.ids)
        ids[index, :end] = torch.tensor(row.ids)
        questions[index, :end] = torch.tensor(row.questions)
        parts[index, :end] = torch.tensor(row.parts)
        opens[index, :end] = torch.tensor(row.opens)
        shared = row.questions.count(0)
        sizes, begins = Counter(row.answers), {0: 0}
        for place, question in enumerate(row.questions):
            begin = begins.setdefault(question, place)
            places[index, place] = place if question == 0 else shared + place - begin
            answer = row.answers[place]
            if place and (answer or rng.random() < OTHER_SHARE):
                learnt.append(index * length + place - 1)
                weights.append(sizes[answer] ** -0.5 if answer else OTHER_WEIGHT)
                answers.append(index * most + answer if answer else 0)
    return Batch(
        ids,
        places,
        questions,
        parts,
        opens,
        torch.tensor(learnt),
        torch.tensor(weights),
        torch.tensor(answers),
        sum(len(row.ids) for row in rows),
    )
