"""TRL's `SFTTrainer` for adapters: nothing sent, nothing printed, no wasted work.

A row of which its `Teacher` gives a lesson is learnt from that, the others from their own labels.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, TrainerState
from trl import SFTTrainer

from training.trainer.answer_loss import answer_losses
from training.trainer.batches import SimilarLengths, pieces
from training.trainer.checkpoints import seal
from training.trainer.progress import Progress, of_first
from training.trainer.teacher import IGNORED, Teacher

# Up to here plain attention is faster on a CPU than the fused one (by 30 % at 40 tokens).
PLAIN_ATTENTION_TOKENS = 384


class LoraTrainer(SFTTrainer):
    """Trains an adapter; ``base_name`` is what its config calls the backbone."""

    model: Any
    optimizer: Any
    _signature_columns: Any

    def __init__(
        self, *, progress: Progress, teacher: Teacher, base_name: str, **kwargs: Any
    ) -> None:
        arguments = kwargs["args"]
        # Of several GPUs one process takes its own: copies on all of them would see half a batch.
        arguments._n_gpu = min(1, arguments.n_gpu)
        super().__init__(callbacks=[progress], **kwargs)
        self.teacher = teacher
        self._plain_collator = self.data_collator
        self.data_collator = self._collate
        self.progress = progress
        self.remove_callback(PrinterCallback)
        self.fused = self.model.config._attn_implementation
        self.model.peft_config["default"].base_model_name_or_path = base_name

    def _send_telemetry(self) -> None:
        pass

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write nothing: the card is written when the NKR is published."""

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = [*self._signature_columns, "row", "exercise", "weight"]

    def _collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a padded batch, with the rows' numbers and weights [rows]."""
        plain = [{name: row[name] for name in ("input_ids", "labels")} for row in rows]
        told = {name: torch.tensor([row[name] for row in rows]) for name in ("row", "weight")}
        read = sum(len(row["input_ids"]) for row in rows)
        return {**self._plain_collator(plain), **told, "read": read}

    def _get_train_sampler(self, train_dataset: Any = None) -> SimilarLengths:
        lengths = self.lengths(train_dataset)
        # Processes take the parts of a step in turn: together the records that one would take.
        step = self.args.train_batch_size * self.args.world_size
        # Read at once: tensors would ask the dataset for one row after the other.
        exercises = list(train_dataset["exercise"])
        return SimilarLengths(lengths, exercises, step, self.args.seed)

    def lengths(self, dataset: Any) -> list[int]:
        """Return the rows' lengths; those of a batch are about the same."""
        return [len(ids) for ids in dataset["input_ids"]]

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> LambdaLR:
        """Return warm-up, then linear decay that ends with the steps or at the deadline.

        Time counts only where it is scarcer than steps, so a run with enough time is reproducible.
        """
        start = time.monotonic()
        before = self.state.global_step / num_training_steps
        warmup = self.args.warmup_steps
        deadline = self.progress.deadline

        def factor(step: int) -> float:
            if step < warmup:
                return (step + 1) / (warmup + 1)
            done = (step - warmup) / max(1, num_training_steps - warmup)
            if deadline is not None:
                share = of_first((time.monotonic() - start) / max(1e-3, deadline - start))
                done = max(done, before + (1 - before) * share)
            return max(0.0, 1.0 - done)

        self.lr_scheduler = LambdaLR(self.optimizer, factor)
        return self.lr_scheduler

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Return a batch's loss, gone back through, and count what was read."""
        model.train()
        inputs = self._prepare_inputs(inputs)
        loss = self.learn(model, inputs)
        # Numbers of a GPU would be waited for: they stay there until somebody reads them.
        self.progress.count(inputs["read"], loss)
        return loss

    def learn(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Go back through a batch, piece by piece; return its loss."""
        count = int((inputs["labels"][:, 1:] != IGNORED).sum())
        total = torch.zeros((), device=model.device)
        # Processes that train together have to go back equally often.
        alone = self.args.world_size == 1
        for piece in pieces(inputs) if alone else [inputs]:
            share = int((piece["labels"][:, 1:] != IGNORED).sum()) / max(1, count)
            if share or not alone:
                loss = self.answer_loss(model, piece) * share
                self.accelerator.backward(loss)
                total += loss.detach()
        return total

    def answer_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Return the mean over the answers' tokens of the cross-entropy with what is to be said.

        Each token counts by its row's weight.
        """
        labels = inputs["labels"][:, 1:]
        answers = labels != IGNORED
        of_row = answers.nonzero()[:, 0]
        tokens, shares = self.taught(model, inputs["row"].tolist(), of_row)
        hidden = self.answer_states(model, inputs["input_ids"], inputs["attention_mask"], answers)
        losses = answer_losses(self._head(model), hidden, labels[answers], tokens, shares)
        return (losses * inputs["weight"][of_row]).mean()

    def taught(
        self, model: Any, rows: Sequence[int], of_row: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a teacher's likeliest tokens and their shares [answers' tokens, k].

        ``rows`` are the numbers of the batch's rows, ``of_row`` tells whose each token is; shares
        are zero where its row has no lesson, k where none has.
        """
        lessons = self.teacher.lessons(rows, partial(self._bare_logits, model))
        given = [lesson for lesson in lessons if lesson is not None]
        width = given[0].tokens.shape[1] if given else 0
        tokens = torch.zeros((len(of_row), width), dtype=torch.long, device=of_row.device)
        shares = torch.zeros((len(of_row), width), device=of_row.device)
        if given:
            has_lesson = [lesson is not None for lesson in lessons]
            learnt = torch.tensor(has_lesson, device=of_row.device)[of_row]
            tokens[learnt] = torch.cat([lesson.tokens for lesson in given])
            shares[learnt] = torch.cat([lesson.shares for lesson in given])
        return tokens, shares

    def _bare_logits(self, model: Any, *batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad(), self.accelerator.unwrap_model(model).disable_adapter():
            states = self.answer_states(model, *(tensor.to(model.device) for tensor in batch))
            logits: torch.Tensor = self._head(model)(states)
        return logits

    def _head(self, model: Any) -> Any:
        return self.accelerator.unwrap_model(model).get_base_model().get_output_embeddings()

    def answer_states(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor, answers: torch.Tensor
    ) -> torch.Tensor:
        """Return the last hidden states [answers' tokens, width] where ``answers`` marks them.

        ``answers`` [rows, length - 1] tells of each token but the last whether the next one is
        learnt. The head is left out: TRL's fused head does so on GPUs alone, and on a CPU computes
        the logits of every token, and the entropies too.
        """
        self._choose_attention(ids.shape[1])
        return self._states_of(
            model, lambda hidden: hidden[:, :-1][answers], input_ids=ids, attention_mask=mask
        )

    def _states_of(
        self, model: Any, answers: Callable[[torch.Tensor], torch.Tensor], **inputs: Any
    ) -> torch.Tensor:
        """Return what ``answers`` takes of the last hidden states [rows, length, width]."""
        found: list[torch.Tensor] = []

        def keep(_: Any, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
            (hidden,) = args
            found.append(answers(hidden))
            return (hidden[:1, :1],)

        hook = self._head(model).register_forward_pre_hook(keep)
        try:
            model(**inputs, use_cache=False)
        finally:
            hook.remove()
        return found[0]

    def _choose_attention(self, width: int) -> None:
        chosen = "eager" if width <= PLAIN_ATTENTION_TOKENS else self.fused
        if self.model.config._attn_implementation != chosen:
            self.model.get_base_model().set_attn_implementation(chosen)

    def finish(self, checkpoint: Path | None) -> None:
        """Train to the last step, from a checkpoint if any; one of the last step is only read.

        Transformers takes one step more from a checkpoint of the last one within an epoch.
        """
        if checkpoint:
            state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
            if state.global_step >= self.args.max_steps:
                self._load_from_checkpoint(str(checkpoint))
                self.state = state
                self.progress.on_train_begin(self.args, state, self.control)
                return
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def tokens_of_all(self) -> int:
        """Return the tokens that all processes read, no padding counted."""
        read = torch.tensor(self.progress.tokens, device=self.accelerator.device)
        return int(self.accelerator.reduce(read, "sum"))

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Count none: nobody reads them, and counting goes through all parameters every step."""
        return 0

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        # The trainer's own would look the backbone's name up on the hub and add a pickle.
        self.model.save_pretrained(output_dir, save_embedding_layers=False)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            assert self.args.output_dir
            seal(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
