"""What pretraining reads: invented talks, from easy to hard, in batches of like length."""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
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
    Stage(math.inf, 5, 0.02, 0.25, 3072),
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

    def to(self, device: torch.device | str) -> Self:
        """Return the batch on a device."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: part.to(device) for name, part in parts.items() if name != "tokens"}
        return type(self)(**moved, tokens=self.tokens)

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
        before = torch.ones(length, length, dtype=torch.bool, device=self.ids.device).tril()
        by, of = self.questions[:, :, None], self.questions[:, None, :]
        return (before & ((of == 0) | (of == by)))[:, None]


def encode(tokenizer: Any, talk: Talk) -> Encoded:
    """Return a talk in the chat format."""
    opening = "<|im_start|>user\n"
    begun = [opening if talk.together and number else "" for number in range(len(talk.turns))]
    ends = ["\n"] * (len(talk.sheet) - 1) + ["\n\n"]
    texts = [
        opening,
        *(text + end for text, end in zip(talk.sheet, ends, strict=False)),
        *(
            piece
            for start, turn in zip(begun, talk.turns, strict=True)
            for piece in (
                f"{start}{turn.user}<|im_end|>\n<|im_start|>assistant\n",
                f"{turn.assistant}<|im_end|>",
                "\n",
            )
        ),
    ]
    # The tokenizer's own call takes longer to wrap each text than to read it.
    read = tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    pieces = iter([piece.ids for piece in read])
    encoded = Encoded([], [], [], [], [])
    encoded.add(next(pieces))
    parts: defaultdict[int, set[int]] = defaultdict(set)
    for part in range(1, len(talk.sheet) + 1):
        piece = next(pieces)
        encoded.add(piece, part=part)
        for token in piece:
            parts[token].add(part)
    for number, turn in enumerate(talk.turns, start=1):
        question = 0 if talk.together else number
        asked, told, end = next(pieces), next(pieces), next(pieces)
        for token in asked[:-_OPENING]:
            # A word that only one part has tells which part is meant.
            (part, *others) = parts.get(token) or (0,)
            encoded.add([token], question=question, part=0 if others or talk.together else part)
        encoded.add(asked[-_OPENING:], question=question, part=turn.part, opens=True)
        encoded.add(told, answer=number, question=question)
        encoded.add(end, question=question)
    return encoded


def batches(
    tokenizer: Any, seed: int, first: int, stages: Sequence[Stage] = STAGES, stride: int = 1
) -> Iterator[tuple[int, int, Batch]]:
    """Yield batches of talks of like length, a pool of talks after the other.

    With each come the number of its pool's first talk, ``first`` to begin with, and its place in
    the pool. Of every ``stride`` pools one is read.
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
        first += POOL * stride


def collate(rows: list[Encoded], pad: int, rng: random.Random) -> Batch:
    """Return talks as one padded batch.

    A long answer weighs more than a short one by the root of its length: its later words are easy.
    """
    length = max(len(row.ids) for row in rows)
    ids = np.full((len(rows), length), pad)
    places = np.tile(np.arange(length), (len(rows), 1))
    questions = np.full((len(rows), length), -1)
    parts, answers = np.zeros((len(rows), length), int), np.zeros((len(rows), length), int)
    opens = np.zeros((len(rows), length), bool)
    lots = np.random.default_rng(rng.getrandbits(64)).random((len(rows), length))
    weights = np.where(lots < OTHER_SHARE, OTHER_WEIGHT, 0.0)
    most = 1 + max(max(row.answers) for row in rows)
    for index, row in enumerate(rows):
        end = len(row.ids)
        ids[index, :end], parts[index, :end], opens[index, :end] = row.ids, row.parts, row.opens
        weights[index, end:] = 0.0
        asked, told = np.array(row.questions), np.array(row.answers)
        questions[index, :end] = asked
        _, first, which = np.unique(asked, return_index=True, return_inverse=True)
        shared = np.count_nonzero(asked == 0)
        later = shared + np.arange(end) - first[which]
        places[index, :end] = np.where(asked == 0, np.arange(end), later)
        weights[index, :end][told > 0] = np.bincount(told)[told[told > 0]] ** -0.5
        answers[index, :end][told > 0] = index * most + told[told > 0]
    weights[:, 0] = 0.0
    (learnt,) = weights.ravel().nonzero()
    return Batch(
        ids=torch.from_numpy(ids),
        places=torch.from_numpy(places),
        questions=torch.from_numpy(questions),
        parts=torch.from_numpy(parts),
        opens=torch.from_numpy(opens),
        learnt=torch.from_numpy(learnt - 1),
        weights=torch.from_numpy(weights.ravel()[learnt]).float(),
        answers=torch.from_numpy(answers.ravel()[learnt]),
        tokens=sum(len(row.ids) for row in rows),
    )
