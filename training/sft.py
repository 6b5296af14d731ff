"""Supervised fine-tuning: train a LoRA adapter on a corpus with TRL and PEFT."""

import hashlib
import json
import math
import os
import random
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from training.backbone import Backbone, uses_bf16
from training.corpus import Record
from training.errors import NKRError
from training.lora import adapted_linears, make_bare
from training.moments import learnt
from training.trainer.checkpoints import prepare
from training.trainer.exposures import evened, summary
from training.trainer.replay import replay
from training.trainer.rows import MAX_TOKENS, dataset, described, rows_of
from training.trainer.teacher import Row, Teacher


@dataclass(frozen=True, kw_only=True)
class SFTSettings:
    """How an adapter is trained; one that is gone on from keeps its own ``rank`` and ``alpha``."""

    rank: int = 32
    alpha: int = 64
    learning_rate: float = 5e-3
    batch_size: int = 32
    exposures: int = 340
    """How often a fact is met in all its wordings together; it decides on the steps."""
    fewest_steps: int = 300
    """Steps of a short video, however few its exposures: an adapter needs some to move at all."""
    loss: Literal["sft", "distill"] = "sft"
    """What is learnt: the answer itself, or what the backbone makes of a description of it."""
    moments: bool = True
    """Answers are learnt behind the moments that they are of, where the answer itself is learnt."""
    replay_share: float = 0.2
    """General reading exercises by each record: they hold down what the backbone forgets."""
    replay_weight: float = 16.0
    """What an exercise counts beside a record: its own gradient is small, and must not give way."""
    epochs: int | None = None
    """Passes over the corpus, whatever the exposures."""
    max_steps: int | None = None
    """Bound on the steps, whatever the epochs."""
    warmup: int = 10
    """Steps until the full learning rate."""
    checkpointing: bool = False
    """Activations are computed again in the backward pass: a large backbone needs less memory."""
    graphs: bool = False
    """Steps are captured as CUDA graphs, on one GPU; off until it has been measured on one."""
    save_every: int = 100
    """Steps between checkpoints."""
    seed: int = 0


@dataclass(frozen=True)
class TrainReport:
    """What a training did, over all its runs; ``tokens`` counts no padding.

    ``records`` counts those of rare facts as often as they are repeated; ``exposures`` is how often
    a fact was met: the least, the median and the most.
    ``stopped`` is true where the deadline came before the last step, ``moments`` where answers were
    learnt behind their moments.
    """

    records: int
    exposures: dict[str, float]
    steps: int
    tokens: int
    seconds: float
    tokens_per_second: float
    adapter: Path
    stopped: bool
    moments: bool


def train(
    backbone: Backbone,
    records: Sequence[Record],
    folder: Path,
    settings: SFTSettings | None = None,
    *,
    known: Sequence[Record] = (),
    start: Path | None = None,
    deadline: float | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
    resume: bool = True,
) -> TrainReport:
    """Train an adapter on the records of split ``train`` and write it to ``folder/adapter``.

    Where these are a part of the video's, ``known`` are all, which tell how long it is.
    ``start`` is the folder of an adapter to go on from, which is left as it is. Checkpoints go to
    ``folder/checkpoints``; with ``resume`` the newest whole one of the same start, records,
    backbone and settings is gone on from. ``deadline`` (of `time.monotonic`) ends the
    training early, with the learning rate down to zero by then. ``on_step`` gets the step, the
    steps in all and the loss. Processes that accelerate started together share each step's records.
    The backbone is left as it was. Raises `NKRError` where there is nothing to train on.
    """
    import torch
    from peft.helpers import disable_input_dtype_casting

    from training.trainer.lora_trainer import LoraTrainer
    from training.trainer.packed_trainer import PackedTrainer
    from training.trainer.packing import can_pack
    from training.trainer.progress import Progress

    settings = settings or SFTSettings()
    lesson = _lesson(backbone, records, known, settings)
    steps = _steps(lesson.taught, len(lesson.exchanges), settings)
    checkpoints = folder / "checkpoints"
    fingerprint = _fingerprint(backbone, lesson.exchanges, settings, start)
    progress = Progress(on_step, deadline)
    torch.manual_seed(settings.seed)
    with _own_chance(), _adapted(backbone, settings, start) as model:
        with _no_bars():
            packs = backbone.model.device.type != "cpu" and can_pack(backbone.model)
            made = partial(PackedTrainer, graphs=settings.graphs) if packs else LoraTrainer
            trainer = made(
                model=model,
                args=_arguments(backbone, checkpoints, settings, steps),
                train_dataset=dataset(lesson.rows, len(lesson.taught), settings.replay_weight),
                teacher=lesson.teacher,
                processing_class=backbone.processor,
                base_name=backbone.name,
                progress=progress,
            )
        with trainer.accelerator.main_process_first():
            first = trainer.accelerator.is_main_process
            checkpoint = prepare(checkpoints, fingerprint, resume or not first)
        # PEFT's casts to float32 would be undone by autocast at once; without it they are needed.
        autocast = trainer.args.bf16
        with disable_input_dtype_casting(model) if autocast else nullcontext():
            trainer.finish(checkpoint)
        adapter = folder / "adapter"
        if trainer.accelerator.is_main_process:
            adapter = _write_adapter(model, folder)
        trainer.accelerator.wait_for_everyone()
        done = trainer.state.global_step
        tokens = trainer.tokens_of_all()
    passes = done * settings.batch_size / len(lesson.exchanges)
    return TrainReport(
        records=len(lesson.taught),
        exposures=summary(lesson.taught, passes),
        steps=done,
        tokens=tokens,
        seconds=progress.seconds,
        tokens_per_second=tokens / max(progress.seconds, 1e-9),
        adapter=adapter,
        stopped=done < steps,
        moments=_behind_moments(settings),
    )


@dataclass(frozen=True)
class _Lesson:
    """What a training reads: its records, then exercises, as exchanges and as rows.

    What the bare backbone says of some of them is known to the ``teacher``.
    """

    taught: list[Record]
    exchanges: list[tuple[str, str]]
    rows: list[Row]
    teacher: Teacher


def _lesson(
    backbone: Backbone, records: Sequence[Record], known: Sequence[Record], settings: SFTSettings
) -> _Lesson:
    taught = evened([record for record in records if record.split == "train"])
    if not taught:
        raise NKRError("The corpus has no training records: nothing was found to learn.")
    replayed = replay(round(settings.replay_share * len(taught)), settings.seed)
    behind = _behind_moments(settings)
    known = [record for record in known if record.split == "train"]
    answers = learnt(taught, known) if behind else [record.answer for record in taught]
    exchanges = list(zip([record.question for record in taught], answers, strict=True))
    exchanges += [(item.turn, item.answer) for item in replayed]
    rows = rows_of(backbone.processor, exchanges)
    # An exercise's text stands in its own turn already.
    read = dict(enumerate(rows[len(taught) :], start=len(taught)))
    if settings.loss == "distill":
        read |= described(backbone.processor, taught, rows)
    teacher = Teacher(read, backbone.tokenizer.pad_token_id)
    return _Lesson(taught, exchanges, rows, teacher)


def _behind_moments(settings: SFTSettings) -> bool:
    return settings.moments and settings.loss == "sft"


@contextmanager
def _own_chance() -> Iterator[None]:
    """Leave Python's random numbers as they were: the trainer seeds them.

    Whoever draws ids from them would draw the same ones after each round.
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


def _steps(records: Sequence[Record], rows: int, settings: SFTSettings) -> int:
    """Return the steps of a training that no clock stops; ``rows`` counts what is replayed too."""
    epoch = math.ceil(rows / settings.batch_size)
    if settings.epochs:
        steps = settings.epochs * epoch
    else:
        passes = _passes(records, settings.exposures)
        steps = max(math.ceil(passes * epoch), settings.fewest_steps)
    return min(steps, settings.max_steps or steps)


def _passes(records: Sequence[Record], exposures: int) -> float:
    """Return the passes over the records in which a fact is met about ``exposures`` times."""
    facts = {fact for record in records for fact in record.fact_ids}
    met = sum(len(record.fact_ids) for record in records)
    return max(1.0, exposures * max(1, len(facts)) / max(1, met))


@contextmanager
def _adapted(backbone: Backbone, settings: SFTSettings, start: Path | None) -> Iterator[Any]:
    """Put a new adapter, or a copy of ``start``, on the backbone; bare again afterwards."""
    from peft import PeftModel, get_peft_model

    attention = backbone.model.config._attn_implementation
    make_bare(backbone.model)
    with warnings.catch_warnings():
        # PEFT reads an attribute that transformers warns of.
        warnings.simplefilter("ignore", FutureWarning)
        model = (
            PeftModel.from_pretrained(backbone.model, start, is_trainable=True)
            if start
            else get_peft_model(backbone.model, _lora(backbone.model, settings))
        )
    try:
        yield model
    finally:
        make_bare(backbone.model)
        backbone.model.set_attn_implementation(attention)
        if settings.checkpointing:
            keep_activations(backbone.model)
            backbone.model.disable_input_require_grads()
        backbone.model.eval()
        # TRL puts a forward of its own on the model.
        backbone.model.__dict__.pop("forward", None)


def _lora(model: Any, settings: SFTSettings) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=adapted_linears(model),
    )


def _arguments(backbone: Backbone, folder: Path, settings: SFTSettings, steps: int) -> Any:
    from trl import SFTConfig

    device = backbone.model.device.type
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if settings.checkpointing:
        # A frozen embedding would end the way back before the first adapter.
        backbone.model.enable_input_require_grads()
    name = checkpointing_argument(SFTConfig)
    # No layer draws at random, and a CUDA graph cannot ask for the generator's state.
    how = {"use_reentrant": False, "preserve_rng_state": False}
    checkpointing: dict[str, Any] = {name: settings.checkpointing, f"{name}_kwargs": how}
    return SFTConfig(
        output_dir=str(folder),
        use_cpu=device == "cpu",
        bf16=uses_bf16(device),
        max_steps=steps,
        per_device_train_batch_size=max(1, settings.batch_size // processes),
        ddp_find_unused_parameters=False,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup,
        weight_decay=0.0,
        # Of a thousand steps the usual 0.999 would remember too many.
        adam_beta2=0.98,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        max_length=MAX_TOKENS,
        pad_to_multiple_of=8,
        **checkpointing,
        save_strategy="steps",
        save_steps=settings.save_every,
        seed=settings.seed,
        data_seed=settings.seed,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=device != "cpu",
    )


def checkpointing_argument(config: Any) -> str:
    """Return what a version of transformers calls its argument for it."""
    new = "activation_checkpointing"
    return new if new in config.__dataclass_fields__ else "gradient_checkpointing"


def keep_activations(model: Any) -> None:
    """Undo what a training that computes activations again has set."""
    new = getattr(model, "activation_checkpointing_disable", None)
    (new or model.gradient_checkpointing_disable)()


def _fingerprint(
    backbone: Backbone,
    exchanges: Sequence[tuple[str, str]],
    settings: SFTSettings,
    start: Path | None,
) -> str:
    digest = hashlib.sha256()
    if start:
        digest.update((start / "adapter_model.safetensors").read_bytes())
    for part in (backbone.name, backbone.revision, json.dumps(asdict(settings))):
        digest.update(part.encode() + b"\n")
    for pair in exchanges:
        digest.update(json.dumps(pair).encode() + b"\n")
    return digest.hexdigest()


def _write_adapter(model: Any, folder: Path) -> Path:
    """Write the adapter, in the precision of the backbone that it will be added to."""
    from peft import get_peft_model_state_dict

    adapter, temporary = folder / "adapter", folder / ".adapter.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    learnt = get_peft_model_state_dict(model, save_embedding_layers=False)
    cast = {name: weight.to(model.dtype) for name, weight in learnt.items()}
    model.save_pretrained(temporary, state_dict=cast, save_embedding_layers=False)
    shutil.rmtree(adapter, ignore_errors=True)
    return temporary.rename(adapter)


@contextmanager
def _no_bars() -> Iterator[None]:
    from datasets.utils.logging import (
        disable_progress_bar,
        enable_progress_bar,
        is_progress_bar_enabled,
    )

    enabled = is_progress_bar_enabled()
    disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            enable_progress_bar()
