"""Where an adapter's layers sit in a backbone, and how they are taken off again."""

import re
from typing import Any


def adapted_linears(model: Any) -> str:
    """Return the regex of the language model's linear layers that an adapter changes.

    Those outside attention: what a video shows is learnt as well there, and where attention looks
    stays as the backbone learned it, so that it forgets less of how to read. Never one of the
    vision tower; a model with none outside attention gets adapters on all.
    """
    from torch import nn

    decoder = model.get_decoder()
    prefix = next(name for name, module in model.named_modules() if module is decoder)
    linears = [name for name, module in decoder.named_modules() if isinstance(module, nn.Linear)]
    outside = [name for name in linears if "attn" not in name and "attention" not in name]
    kinds = {name.rpartition(".")[2] for name in outside or linears}
    return rf"{re.escape(prefix)}\..*\.({'|'.join(sorted(kinds))})"


def make_bare(model: Any) -> None:
    """Take every adapter's layers off a model, in place; a model without any is left as it is."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, module.get_base_layer())
    model.__dict__.pop("peft_config", None)
