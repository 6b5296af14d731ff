"""Pretrains the embedded backbone on invented videos, from nothing.

    python -m training.pretrain --seed 0             # training/embedded/ when done
    python -m training.pretrain --seed 0 --resume
    python -m training.pretrain --seed 1 --start training/embedded   # more reading
    python -m training.pretrain --start training/embedded --device cuda --minutes 6 --workers 15 \
        --batch-tokens 24576

Loss falls on the answers, and lightly on a sample of the other tokens; a checkpoint is written
every `--save-every` steps. Documents are made on the fly, each from the seed and its number, so a
resumed run reads on where the first one stopped (with ``--workers``, but for their pools in hand).
"""

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from training.backbone import EMBEDDED, uses_bf16
from training.pretraining.curriculum import POOL, STAGES, Batch, Stage, batches
from training.pretraining.muon import Muon
from training.pretraining.part_probe import PartProbe
from training.pretraining.tiny_vlm import Size, build_model, build_processor, train_tokenizer
from training.pretraining.token_meanings import embeddings, whole_words, word_tokens
from training.pretraining.word_guide import LAYER as WORD
from training.pretraining.word_guide import word_guide
from training.worlds.documents import document
from training.worlds.words import everyday_words

SHARPNESS = 2.5
HALFWAY_WEIGHT = 0.5
# A model that reads well forgets at the rate that a new one learns at.
NEW_RATE, ON_RATE = 3e-3, 1.2e-3
DOCUMENTS = 25000
CHECKPOINT = "state.pt"


def tokenizer_texts(seed: int, documents: int) -> Iterator[str]:
    """Yield the tokenizer's training text: invented talks, and everyday words by frequency."""
    words = everyday_words()
    for number in range(documents):
        talk = document(random.Random(f"{seed}-tokenizer-{number}"), words)
        yield "\n".join(talk.sheet)
        for turn in talk.turns:
            yield f"{turn.user}\n{turn.assistant}"
    for rank, word in enumerate(words):
        for _ in range(max(1, 4000 // (rank + 10))):
            yield f" {word} {word.capitalize()}"


@dataclass(frozen=True)
class Losses:
    """What a batch costs; ``right`` is the share of answers whose every token was foreseen."""

    answers: torch.Tensor
    halfway: list[torch.Tensor]
    right: torch.Tensor


def losses_of(model: Any, probe: PartProbe, batch: Batch) -> Losses:
    """Return the weighted loss of a batch, and those that supervise half-way."""
    rows, length = batch.ids.shape
    device = batch.ids.device.type
    with torch.autocast(device, dtype=torch.bfloat16, enabled=uses_bf16(device)):
        states, rotary = layer_states(model, batch)
        layers = model.model.language_model.layers
        guide = word_guide(layers[WORD - 1], states[WORD - 2], rotary, batch)
        hidden = model.model.language_model.norm(states[-1])
        logits = model.lm_head(hidden.view(rows * length, -1)[batch.learnt])
    targets = batch.ids.view(-1)[batch.learnt + 1]
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    wrong = batch.answers[logits.argmax(dim=1) != targets]
    told = batch.answers[batch.answers > 0].unique()
    return Losses(
        answers=(losses * batch.weights).sum() / batch.weights.sum(),
        halfway=[*probe(states, batch), guide],
        right=1 - torch.isin(told, wrong).float().mean(),
    )


def layer_states(
    model: Any, batch: Batch
) -> tuple[list[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Return what each layer of the language part puts out [rows, length, width].

    With it come the cosines and sines of the places.
    """
    text = model.model.language_model
    hidden = text.embed_tokens(batch.ids)
    rotary = text.rotary_emb(hidden, batch.places.expand(3, *batch.ids.shape))
    visible = batch.visible
    states = []
    for layer in text.layers:
        hidden = layer(hidden, position_embeddings=rotary, attention_mask=visible)
        states.append(hidden)
    return states, rotary


def give_meaning(model: Any, tokenizer: Any, seed: int) -> None:
    """Start the embeddings from what their words mean."""
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        weight.copy_(embeddings(tokenizer, weight.shape[1], seed))
        # Embeddings that cannot grow need this before one token stands out among its synonyms.
        model.model.language_model.norm.weight.fill_(SHARPNESS)


def keep_meaning(model: Any, tokenizer: Any) -> None:
    """Let no gradient reach the embeddings of whole words."""
    weight = model.get_input_embeddings().weight
    learnt = torch.ones(len(weight), 1, device=weight.device)
    learnt[list(whole_words(tokenizer))] = 0.0
    weight.register_hook(lambda gradient: gradient * learnt)


Optimizers = list[torch.optim.Optimizer]


def optimizers(model: Any, peak: float) -> Optimizers:
    """Return Muon for the matrices of the layers and AdamW for the rest, at their peak rate."""
    text = model.model.language_model
    matrices = [p for n, p in text.layers.named_parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    rest = [p for p in text.parameters() if id(p) not in taken]
    narrow = uses_bf16(matrices[0].device.type)
    muon = Muon(matrices, lr=peak, dtype=torch.bfloat16 if narrow else torch.float32)
    adam = torch.optim.AdamW(rest, lr=peak, betas=(0.9, 0.95), weight_decay=0.0)
    return [muon, adam]


def rate(step: int, share: float) -> float:
    """Return the part of the peak learning rate: short warm-up, flat, from the half on down."""
    warm = min(1.0, (step + 1) / 50)
    return warm if share < 0.5 else max(0.02, math.cos((share - 0.5) * math.pi))


class Reading(torch.utils.data.IterableDataset):
    """The batches that `batches` yields, dealt to a loader's workers pool by pool."""

    def __init__(self, tokenizer: Any, seed: int, first: int, stages: Sequence[Stage]) -> None:
        self.told = tokenizer, seed, first, stages

    def __iter__(self) -> Iterator[tuple[int, int, Batch]]:
        tokenizer, seed, first, stages = self.told
        worker = torch.utils.data.get_worker_info()
        at, of = (worker.id, worker.num_workers) if worker else (0, 1)
        return batches(tokenizer, seed, first + at * POOL, stages, of)


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
    parser.add_argument("--minutes", type=float, help="end by then, whatever was read")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=0, help="processes that write the talks")
    parser.add_argument("--batch-tokens", type=int, help="size of a batch with its padding")
    parser.add_argument(
        "--rate", type=float, help=f"peak learning rate ({NEW_RATE:g}; with --start {ON_RATE:g})"
    )
    parser.add_argument("--vocab", type=int, default=4096, help="tokens beside words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--save-every", type=int, default=200, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    args = parser.parse_args(argv)
    args.rate = args.rate or (ON_RATE if args.start else NEW_RATE)
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    model, processor, state = _start(args)
    model.to(args.device)
    keep_meaning(model, processor.tokenizer)
    probe = PartProbe(model.config.text_config.hidden_size).to(args.device)
    opts = [*optimizers(model, args.rate), torch.optim.AdamW(probe.parameters(), lr=args.rate)]
    if state:
        probe.load_state_dict(state["probe"])
        for opt, saved in zip(opts, state["optimizers"], strict=True):
            opt.load_state_dict(saved)
    done = state or {"step": 0, "document": 0, "place": 0, "tokens": 0, "seconds": 0.0}
    report = _read(args, model, probe, processor, opts, done)
    save(model, processor, args.out)
    print(json.dumps(report))
    return 0


def _read(
    args: argparse.Namespace,
    model: Any,
    probe: PartProbe,
    processor: Any,
    opts: Optimizers,
    done: dict[str, Any],
) -> dict[str, Any]:
    """Train until enough documents were read; return the counts."""
    model.train()
    if args.device == "cpu":
        for layer in model.model.language_model.layers:
            layer.compile(dynamic=True)
    step, tokens, smooth = done["step"], done["tokens"], None
    began = time.monotonic() - done["seconds"]
    stages: tuple[Stage, ...] = STAGES[-1:] if args.start else STAGES
    if args.batch_tokens:
        stages = tuple(replace(stage, batch_tokens=args.batch_tokens) for stage in stages)
    first = done["document"], done["place"]
    reading = torch.utils.data.DataLoader(
        Reading(processor.tokenizer, args.seed, first[0], stages),
        batch_size=None,
        num_workers=args.workers,
        prefetch_factor=4 if args.workers else None,
    )
    for number, place, batch in reading:
        if (number, place) < first:
            continue
        share = number / args.documents
        if args.minutes:
            share = max(share, (time.monotonic() - began) / 60 / args.minutes)
        finished = share >= 1
        if finished or (step > done["step"] and step % args.save_every == 0):
            done = {"step": step, "document": number, "place": place, "tokens": tokens}
            done["seconds"] = time.monotonic() - began
            _checkpoint(args.work, model, probe, processor, opts, done)
        if finished:
            break
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.rate * rate(step, share)
        losses = losses_of(model, probe, batch.to(args.device))
        (losses.answers + HALFWAY_WEIGHT * sum(losses.halfway)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        step += 1
        tokens += batch.tokens
        shown = torch.stack([losses.right, *losses.halfway]).detach()
        smooth = shown if smooth is None else 0.97 * smooth + 0.03 * shown
        if step % 20 == 0:
            seconds = time.monotonic() - began
            print(
                f"step {step} document {number} right {smooth[0]:.3f} "
                f"half-way {' '.join(f'{loss:.3f}' for loss in smooth[1:])} "
                f"tokens {tokens / 1e6:.2f}M seconds {seconds:.0f}",
                file=sys.stderr,
            )
    return {**done, "answers_right": None if smooth is None else smooth[0].item()}


def _start(args: argparse.Namespace) -> tuple[Any, Any, dict[str, Any] | None]:
    """Return a new model and processor, or those of the last checkpoint with its state."""
    from transformers import AutoProcessor

    if args.resume and (args.work / CHECKPOINT).is_file():
        processor = AutoProcessor.from_pretrained(args.work)
        model = build_model(processor.tokenizer, Size(), args.seed)
        state = torch.load(args.work / CHECKPOINT, weights_only=True)
        model.load_state_dict(state["model"])
        return model, processor, state
    if args.start:
        processor = AutoProcessor.from_pretrained(args.start)
        model = build_model(processor.tokenizer, Size(), args.seed)
        weights = load_file(args.start / "model.safetensors")
        model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        model.tie_weights()
        return model, processor, None
    tokenizer = train_tokenizer(tokenizer_texts(args.seed, 3000), args.vocab, word_tokens())
    processor = build_processor(tokenizer)
    model = build_model(tokenizer, Size(), args.seed)
    give_meaning(model, tokenizer, args.seed)
    return model, processor, None


def _checkpoint(
    folder: Path,
    model: Any,
    probe: PartProbe,
    processor: Any,
    opts: Optimizers,
    state: dict[str, Any],
) -> None:
    """Write a checkpoint: the processor, and in one file, whole or not at all, all that changes."""
    processor.save_pretrained(folder)
    kept = [opt.state_dict() for opt in opts]
    weights = {"model": model.state_dict(), "probe": probe.state_dict()}
    torch.save({**state, **weights, "optimizers": kept}, folder / "state.tmp")
    (folder / "state.tmp").replace(folder / CHECKPOINT)


def save(model: Any, processor: Any, folder: Path) -> None:
    """Write the finished model in bfloat16 beside its card."""
    model.to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)


if __name__ == "__main__":
    raise SystemExit(main())
