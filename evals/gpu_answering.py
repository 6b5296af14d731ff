"""Mounting an adapter, answering with it, and the same backbone reading frames instead."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import torch
from torch.nn.functional import scaled_dot_product_attention

from evals.gpu_backbone import wait
from training import generate
from training.backbone import Backbone
from training.mount import mount
from training.prompt import prompt

QUESTION = "Which slide is shown right after the one about the second tower of the lighthouse?"
ANSWER = 12
REPEATS = 5
# A frame of 448 x 448 pixels is 14 x 14 tokens, and a few of text that tell its time.
SIDE, TOLD = 448, 10
FRAMES = (64, 512)
ENCODED_AT_ONCE, READ_AT_ONCE = 32, 8192


def mounting(backbone: Backbone, folder: Path) -> dict[str, Any]:
    """Return the median seconds in which ``folder/adapter`` is mounted, and swapped in place."""
    from peft.utils.hotswap import hotswap_adapter

    adapter = folder / "adapter"
    mounts = _timed(lambda: mount(backbone, adapter))
    model = mount(backbone, adapter)._answerer._model
    device = str(backbone.model.device)
    swaps = _timed(lambda: hotswap_adapter(model, str(adapter), "default", torch_device=device))
    size = (adapter / "adapter_model.safetensors").stat().st_size
    return {"mount": mounts, "swap": swaps, "adapter_mb": round(size / 1e6, 1)}


def from_weights(backbone: Backbone, folder: Path) -> dict[str, Any]:
    """Return the seconds to the first token and to all `ANSWER` of them of a video's first answer.

    It is transformers' own loop that writes it.
    """
    model = mount(backbone, folder / "adapter")._answerer._model
    ids = _asked(backbone)
    return {
        "question_tokens": ids.shape[1],
        "answer_tokens": ANSWER,
        "first": _timed(lambda: _generated(model, ids, 1)),
        "whole": _timed(lambda: _generated(model, ids, ANSWER)),
    }


def from_weights_again(backbone: Backbone, folder: Path) -> dict[str, Any]:
    """Return the same of the answers after it, which a GPU writes with a captured graph.

    They are asked as users ask, one after the other. ``captured`` is what the second answer took;
    ``replayed`` tells whether the later ones came from a graph (never on a CPU), and
    ``same_tokens`` whether transformers' loop writes the same ones.
    """
    mounted = mount(backbone, folder / "adapter")
    replays = mounted._answerer._replays
    ids = _asked(backbone)
    plain = _generated(mounted._answerer._model, ids, ANSWER)[0, ids.shape[1] :]
    with patch.object(generate, "MAX_NEW_TOKENS", ANSWER):
        mounted.answer([QUESTION])
        began = perf_counter()
        # This one is compared with the model's own, and that is told.
        mounted.answer([QUESTION])
        captured = round(perf_counter() - began, 3)
        whole = _timed(lambda: mounted.answer([QUESTION]))
        told = mounted.answer([QUESTION])[0]
    with patch.object(generate, "MAX_NEW_TOKENS", 1):
        first = _timed(lambda: mounted.answer([QUESTION]))
    text = backbone.tokenizer.decode(plain, skip_special_tokens=True).strip()
    return {
        "answer_tokens": told.tokens,
        "first": first,
        "whole": whole,
        "captured": captured,
        "replayed": bool(replays and replays.believed),
        "same_tokens": told.text == text,
    }


def _asked(backbone: Backbone) -> torch.Tensor:
    text = prompt(backbone.processor, QUESTION)
    ids = backbone.tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    asked: torch.Tensor = ids.to(backbone.model.device)
    return asked


def _generated(model: Any, ids: torch.Tensor, count: int) -> torch.Tensor:
    with torch.inference_mode():
        written: torch.Tensor = model.generate(
            input_ids=ids, do_sample=False, min_new_tokens=count, max_new_tokens=count
        )
    return written


def from_frames(backbone: Backbone, tiny: bool) -> dict[str, Any]:
    """Return the seconds in which the bare backbone answers from frames in its context.

    Frames come decoded and resized. The cache is set up beforehand, and attention is the flash
    kernel's with causal masks from the right, so that nothing is copied or masked in vain.
    """
    from training.lora import make_bare

    make_bare(backbone.model)
    side = 32 if tiny else SIDE
    a_frame = (side // 32) ** 2 + TOLD
    most = (backbone.model.config.text_config.max_position_embeddings - ANSWER) // a_frame
    counts = (2, 4, most) if tiny else (*FRAMES, most)
    with torch.inference_mode():
        reader = FrameReader(backbone.model, most * a_frame + ANSWER, side)
        try:
            reader.answer(1)
            told = [
                {"frames": count, "tokens": count * a_frame, **reader.answer(count)}
                for count in counts
            ]
        finally:
            # The registry of attentions keeps the reader: its cache fills half of a GPU.
            del reader.cache
    return {"tokens_a_frame": a_frame, "frames": told}


class FrameReader:
    """Reads frames of random pixels with a backbone that is nobody else's afterwards."""

    def __init__(self, model: Any, room: int, side: int) -> None:
        from transformers import AttentionInterface, StaticCache

        self.model, self.side = model, side
        self.text = model.model.language_model
        self.seen = 0
        AttentionInterface.register("from_the_right", self._attention)
        self.config = model.config.text_config
        self.cache = StaticCache(config=self.config, max_cache_len=room)

    def answer(self, count: int) -> dict[str, float]:
        """Return the seconds to encode so many frames, to the first token, and to the last."""
        before = self.config._attn_implementation
        self.config._attn_implementation = "from_the_right"
        self.cache.reset()
        self.seen = 0
        try:
            wait()
            began = perf_counter()
            embeds, deep = self._encoded(count)
            wait()
            encoded = perf_counter() - began
            token = self._token(self._states(embeds, deep))
            wait()
            first = perf_counter() - began
            for _ in range(ANSWER - 1):
                token = self._token(self._next(self.text.embed_tokens(token)))
            wait()
            whole = perf_counter() - began
        finally:
            self.config._attn_implementation = before
        return {"encode": round(encoded, 3), "first": round(first, 3), "whole": round(whole, 3)}

    def _encoded(self, count: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the embeddings [1, tokens, width] and the deep features [tokens of frames, width].

        They are those of text that tells a frame's time, and of the frame, for each in turn.
        """
        vision = self.model.config.vision_config
        patches = (self.side // vision.patch_size) ** 2
        size = 3 * vision.temporal_patch_size * vision.patch_size**2
        device, dtype = self.model.device, self.model.dtype
        grid = torch.tensor([[1, *[self.side // vision.patch_size] * 2]], device=device)
        told = self.text.embed_tokens(torch.randint(1000, (TOLD,), device=device))
        of_frame, width = (self.side // 32) ** 2, told.shape[1]
        embeds = told.new_empty((count, TOLD + of_frame, width))
        embeds[:, :TOLD] = told
        layers = len(vision.deepstack_visual_indexes)
        deep = [told.new_empty((count, of_frame, width)) for _ in range(layers)]
        for first in range(0, count, ENCODED_AT_ONCE):
            frames = min(ENCODED_AT_ONCE, count - first)
            pixels = torch.randn((frames * patches, size), device=device, dtype=dtype)
            found = self.model.model.get_image_features(
                pixels, grid.repeat(frames, 1), return_dict=True
            )
            last = first + frames
            embeds[first:last, TOLD:] = torch.stack(list(found.pooler_output))
            for place, features in zip(deep, found.deepstack_features, strict=True):
                # Versions of transformers give a layer's features whole, or frame by frame.
                place[first:last] = torch.cat(list(features)).view(frames, of_frame, width)
        return embeds.view(1, -1, width), [part.view(-1, width) for part in deep]

    def _states(self, embeds: torch.Tensor, deep: list[torch.Tensor]) -> torch.Tensor:
        """Return the last hidden state [1, 1, width] after all frames, read piece by piece."""
        a_frame = (self.side // 32) ** 2 + TOLD
        of_frames = torch.arange(embeds.shape[1], device=embeds.device) % a_frame >= TOLD
        ends = of_frames.cumsum(0)
        state = embeds
        for first in range(0, embeds.shape[1], READ_AT_ONCE):
            last = min(first + READ_AT_ONCE, embeds.shape[1])
            begun = int(ends[first - 1]) if first else 0
            state = self._next(
                embeds[:, first:last],
                visual_pos_masks=of_frames[None, first:last],
                deepstack_visual_embeds=[part[begun : int(ends[last - 1])] for part in deep],
            )
        return state

    def _next(self, embeds: torch.Tensor, **more: Any) -> torch.Tensor:
        """Read on; return the last hidden state [1, 1, width]."""
        places = torch.arange(self.seen, self.seen + embeds.shape[1], device=embeds.device)
        self.seen += embeds.shape[1]
        states: torch.Tensor = self.text(
            inputs_embeds=embeds,
            position_ids=places[None],
            past_key_values=self.cache,
            use_cache=True,
            **more,
        ).last_hidden_state
        return states[:, -1:]

    def _token(self, state: torch.Tensor) -> torch.Tensor:
        token: torch.Tensor = self.model.lm_head(state).argmax(dim=-1)
        return token

    def _attention(
        self,
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: None,
        scaling: float | None = None,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        key, value = key[:, :, : self.seen], value[:, :, : self.seen]
        new = query.shape[2]
        if query.is_cuda:
            # The kernel takes fewer heads of keys than of queries, and masks from the lower right.
            flash = torch.ops.aten._scaled_dot_product_flash_attention
            found = flash(query, key, value, 0.0, new > 1, False, scale=scaling)[0]
        else:
            mask = torch.ones(new, self.seen, dtype=torch.bool).tril(self.seen - new)
            found = scaled_dot_product_attention(
                query, key, value, attn_mask=mask, scale=scaling, enable_gqa=True
            )
        return found.transpose(1, 2).contiguous(), None


def ratio(figures: dict[str, Any]) -> dict[str, float]:
    """Return how many times as long the fullest context takes as an answer from the weights."""
    ways = [way for way in ("answering", "again") if "whole" in figures[way]]
    if "frames" not in figures["reading"]:
        return {}
    whole = figures["reading"]["frames"][-1]["whole"]
    return {way: round(whole / figures[way]["whole"], 1) for way in ways}


def _timed(run: Callable[[], Any]) -> float:
    """Return the median seconds of some runs after one that warms up."""
    run()
    seconds = []
    for _ in range(REPEATS):
        wait()
        began = perf_counter()
        run()
        wait()
        seconds.append(perf_counter() - began)
    return round(median(seconds), 4)
