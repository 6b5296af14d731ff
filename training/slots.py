"""Many adapters on one backbone at once: each row of a batch goes through a slot of its own.

The adapters' matrices lie stacked, so that a batch over several videos costs one batched product a
layer. Slot 0 is the bare backbone. (Batched LoRA: Punica, arXiv 2310.18547; S-LoRA, 2311.03285.)
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.errors import NKRError

BARE = 0
_PREFIX = "base_model.model."
# What an adapter's config may ask for beyond its rank: nothing that changes the product below.
_PLAIN = {"use_dora": False, "bias": "none", "rank_pattern": {}, "alpha_pattern": {}}


class Adapter:
    """An adapter's matrices by the names of their layers: A [rank, in], and B [out, rank] scaled.

    Raises `NKRError` where it is of a kind that cannot share a batch.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.torch import load_file

        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        odd = [name for name, plain in _PLAIN.items() if (config.get(name) or plain) != plain]
        weights = load_file(folder / "adapter_model.safetensors")
        pairs = {name.rpartition(".lora_")[0] for name in weights}
        if odd or len(weights) != 2 * len(pairs) or "" in pairs:
            raise NKRError(
                f"The adapter in {folder} is no plain LoRA: mount it alone, with "
                "`nkr ask --route weights`."
            )
        rank = int(config["r"])
        scale = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
        self.rank = rank
        self.layers = {
            name.removeprefix(_PREFIX): (
                weights[f"{name}.lora_A.weight"],
                weights[f"{name}.lora_B.weight"] * scale,
            )
            for name in sorted(pairs)
        }
        self.bytes = sum(a.nbytes + b.nbytes for a, b in self.layers.values())


class Slots:
    """The stacked adapters of a model, which is changed in place until `close`."""

    def __init__(self, model: Any, count: int) -> None:
        self.count = count
        self.layout = 0
        """Changes when the stacks do: what was captured of the model before reads freed memory."""
        self._model = model
        self._rows = _Rows()
        self._stacks: dict[str, StackedLora] = {}

    def put(self, slot: int, adapter: Adapter) -> None:
        """Put an adapter into a slot (1 to ``count``), in place of what was there.

        Raises `NKRError` where it does not fit the model; the slot then holds nothing.
        """
        for stack in self._stacks.values():
            stack.clear(slot)
        stacks = {name: self._stacks.get(name) or self._stack(name) for name in adapter.layers}
        for name, (a, b) in adapter.layers.items():
            base = stacks[name].base
            if (a.shape[1], b.shape[0]) != (base.in_features, base.out_features):
                raise NKRError(
                    f"The adapter does not fit {name}: it was made for another backbone."
                )
        for name, (a, b) in adapter.layers.items():
            self.layout += stacks[name].fill(slot, a, b)

    def choose(self, rows: Sequence[int]) -> None:
        """Say which slot each row of the next batches goes through."""
        self._rows.choose(rows, self._model.device)

    def close(self) -> None:
        """Take the slots off the model."""
        for name, stack in self._stacks.items():
            _replace(self._model, name, stack.base)
        self._stacks = {}

    def _stack(self, name: str) -> "StackedLora":
        try:
            linear = self._model.get_submodule(name)
        except AttributeError:
            linear = None
        if not isinstance(linear, nn.Linear):
            raise NKRError(f"The adapter changes {name}, which this backbone does not have.")
        stack = StackedLora(linear, self.count, self._rows)
        _replace(self._model, name, stack)
        self._stacks[name] = stack
        self.layout += 1
        return stack


class _Rows:
    """Which slots a batch uses: one for all rows, or one each [rows]."""

    def __init__(self) -> None:
        self.one: int | None = BARE
        self.each = torch.zeros(0, dtype=torch.long)
        self._alone = torch.zeros(1, dtype=torch.long)

    def choose(self, rows: Sequence[int], device: torch.device) -> None:
        self.one = rows[0] if len(set(rows)) == 1 else None
        self.each = torch.tensor(rows, device=device)
        if len(rows) == 1 and device.type == "cuda":
            # One graph is captured for all slots: it reads the number where it always lies.
            self._alone = self._alone.to(device).copy_(self.each)
            self.one, self.each = None, self._alone


class StackedLora(nn.Module):
    """A linear layer with the adapters of all slots: A [slots, in, rank], B [slots, rank, out]."""

    def __init__(self, base: nn.Linear, count: int, rows: _Rows) -> None:
        super().__init__()
        self.base = base
        self._count, self._rows = count, rows
        self._a = base.weight.new_zeros(count + 1, base.in_features, 0)
        self._b = base.weight.new_zeros(count + 1, 0, base.out_features)

    def fill(self, slot: int, a: torch.Tensor, b: torch.Tensor) -> bool:
        """Put matrices A [rank, in] and B [out, rank] into a slot.

        Return whether the stack was replaced: ranks grow to the largest.
        """
        more = a.shape[0] - self._a.shape[2]
        if more > 0:
            self._a = nn.functional.pad(self._a, (0, more)).contiguous()
            self._b = nn.functional.pad(self._b, (0, 0, 0, more)).contiguous()
        self._a[slot, :, : a.shape[0]] = a.T.to(self._a)
        self._b[slot, : a.shape[0]] = b.T.to(self._b)
        return more > 0

    def clear(self, slot: int) -> None:
        """Make a slot the bare layer."""
        self._a[slot] = 0
        self._b[slot] = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output [rows, length, out], each row's own adapter added."""
        out = self.base(x)
        one = self._rows.one
        if one == BARE:
            return out
        if one is not None:
            return out + (x @ self._a[one]) @ self._b[one]
        each = self._rows.each
        return torch.baddbmm(out, torch.bmm(x, self._a[each]), self._b[each])


def _replace(model: Any, name: str, module: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(parent), leaf, module)
