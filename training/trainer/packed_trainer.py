"""The trainer of an adapter on a GPU: records packed without padding, steps replayed as graphs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import pad

from training.trainer.answer_loss import answer_losses
from training.trainer.lora_trainer import LoraTrainer
from training.trainer.packing import ANSWERS, Packed, pack
from training.trainer.step_graphs import StepGraphs
from training.trainer.teacher import IGNORED


class PackedTrainer(LoraTrainer):
    """A `LoraTrainer` whose batches are one row each, of records that do not see each other."""

    def __init__(self, *, graphs: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Processes that train together exchange gradients while they go back.
        one_gpu = graphs and self.args.device.type == "cuda" and self.args.world_size == 1
        self._learn: Callable[..., torch.Tensor] = (
            StepGraphs(self._backward, self.model.parameters()) if one_gpu else self._backward
        )

    def lengths(self, dataset: Any) -> list[int]:
        """Return the same for all rows: without padding, similar lengths would gain nothing."""
        return [1] * len(dataset)

    def _collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a packed batch, its sizes rounded up, with the rows' numbers.

        ``weights`` [answers] are each token's share of the loss, none where there is no answer.
        """
        batch = super()._collate(rows)
        labels = batch["labels"][:, 1:]
        learnt = labels != IGNORED
        packed = pack(batch["input_ids"], batch["attention_mask"], learnt)
        of_row = learnt.nonzero()[:, 0]
        more = (0, -len(of_row) % ANSWERS)
        return {
            **vars(packed.rounded()),
            "expected": pad(labels[learnt], more),
            "weights": pad(batch["weight"][of_row] / max(1, len(of_row)), more),
            "of_row": of_row,
            # Numbers that are read here need not come back from the GPU.
            "row": batch["row"].tolist(),
            "read": batch["read"],
        }

    def learn(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Go back through a batch at once; return its loss."""
        tokens, shares = self.taught(model, inputs["row"], inputs["of_row"])
        more = (0, 0, 0, len(inputs["expected"]) - len(tokens))
        names = ("ids", "places", "records", "answers", "expected", "weights")
        return self._learn(*map(inputs.get, names), pad(tokens, more), pad(shares, more))

    def _backward(
        self,
        ids: torch.Tensor,
        places: torch.Tensor,
        records: torch.Tensor,
        answers: torch.Tensor,
        expected: torch.Tensor,
        weights: torch.Tensor,
        tokens: torch.Tensor,
        shares: torch.Tensor,
    ) -> torch.Tensor:
        model = self.model_wrapped
        hidden = self._states(model, Packed(ids, places, records, answers))
        losses = answer_losses(self._head(model), hidden, expected, tokens, shares)
        loss = (losses * weights).sum()
        self.accelerator.backward(loss)
        return loss.detach()

    def answer_states(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor, answers: torch.Tensor
    ) -> torch.Tensor:
        """Return what `LoraTrainer.answer_states` does."""
        return self._states(model, pack(ids, mask, answers))

    def _states(self, model: Any, packed: Packed) -> torch.Tensor:
        return self._states_of(
            model,
            lambda hidden: hidden[0].index_select(0, packed.answers),
            input_ids=packed.ids,
            attention_mask=packed.visible(),
            position_ids=packed.places,
        )
