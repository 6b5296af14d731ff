"""What a training has done so far, over all its runs, and when it has to stop."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback, TrainerControl, TrainerState
from transformers.trainer_callback import ExportableState


def of_first(value: float) -> float:
    """Return the value of the first of the processes that train together: all do the same."""
    return float(broadcast_object_list([value])[0])


class Progress(TrainerCallback, ExportableState):
    """Counts time and tokens over all runs of a training, reports steps, stops at the deadline."""

    def __init__(
        self,
        on_step: Callable[[int, int, float], None] | None = None,
        deadline: float | None = None,
    ) -> None:
        self.on_step = on_step
        self.deadline = deadline
        self.seconds = 0.0
        self.tokens = 0
        """Tokens that were read, no padding counted."""
        self._loss: Any = 0.0
        self.recent: deque[float] = deque(maxlen=20)
        self.last = time.monotonic()

    def count(self, tokens: int, loss: torch.Tensor) -> None:
        """Note what a step read, and its loss."""
        self.tokens += tokens
        self._loss = loss

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of this."""
        return {"args": {}, "attributes": {"seconds": self.seconds, "tokens": self.tokens}}

    def on_train_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock, from the stored counts where the training goes on."""
        saved: Any = state.stateful_callbacks
        if stored := saved.get("Progress"):
            self.seconds = stored["attributes"]["seconds"]
            self.tokens = stored["attributes"]["tokens"]
        self.last = time.monotonic()

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Count, report, and stop where another step would not end before the deadline."""
        now = time.monotonic()
        self.recent.append(now - self.last)
        self.seconds += now - self.last
        self.last = now
        if self.deadline is not None and of_first(now + max(self.recent)) > self.deadline:
            control.should_training_stop = control.should_save = True
        if self.on_step:
            self.on_step(state.global_step, state.max_steps, float(self._loss))
