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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from training.backbone import EMBEDDED, uses_bf16
from training.curriculum import STAGES, Batch, batches
from training.muon import Muon
from training.tiny_vlm import Size, build_model, build_processor, train_tokenizer
from training.token_meanings import embeddings, whole_words, word_tokens
from training.worlds.documents import document
from training.worlds.words import everyday_words

SHARPNESS = 2.5
DOCUMENTS = 25000


def tokenizer_texts(seed: int, documents: int) -> Iterator[str]:
    """Yield the tokenizer's training text: invented talks, and everyday words by frequency."""
    words = everyday_words()
    for number in range(documents):
        for turn in document(random.Random(f"{seed}-tokenizer-{number}"), words):
            yield f"{turn.user}\n{turn.assistant}"
    for rank, word in enumerate(words):
        for _ in range(max(1, 4000 // (rank + 10))):
            yield f" {word} {word.capitalize()}"


def loss_of(model: Any, batch: Batch) -> tuple[torch.Tensor, float]:
    """Return the weighted loss, and the mean loss of the answers alone.

    What pads a row comes after it, where causal attention never looks: there is no mask.
    """
    rows, length = batch.ids.shape
    positions = torch.arange(length).expand(3, rows, length)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=uses_bf16("cpu")):
        hidden = model.model.language_model(
            inputs_embeds=model.get_input_embeddings()(batch.ids),
            position_ids=positions,
            use_cache=False,
        ).last_hidden_state
        logits = model.lm_head(hidden.view(rows * length, -1)[batch.learnt])
    targets = batch.ids.view(-1)[batch.learnt + 1]
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    answers = batch.weights == 1.0
    return (losses * batch.weights).sum() / batch.weights.sum(), losses[answers].mean().item()


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
    learnt = torch.ones(len(weight), 1)
    learnt[list(whole_words(tokenizer))] = 0.0
    weight.register_hook(lambda gradient: gradient * learnt)


Optimizers = list[torch.optim.Optimizer]


def optimizers(model: Any, peak: float) -> Optimizers:
    """Return Muon for the matrices of the layers and AdamW for the rest, at their peak rate."""
    text = model.model.language_model
    matrices = [p for n, p in text.layers.named_parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    rest = [p for p in text.parameters() if id(p) not in taken]
    muon = Muon(matrices, lr=peak, dtype=torch.bfloat16 if uses_bf16("cpu") else torch.float32)
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
    parser.add_argument("--vocab", type=int, default=4096, help="tokens beside words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--save-every", type=int, default=200, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    args = parser.parse_args(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    model, processor, state = _start(args)
    keep_meaning(model, processor.tokenizer)
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
    tokenizer = train_tokenizer(tokenizer_texts(args.seed, 3000), args.vocab, word_tokens())
    processor = build_processor(tokenizer)
    model = build_model(tokenizer, Size(), args.seed)
    give_meaning(model, tokenizer, args.seed)
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
