"""Greedy answers to one question at a time, each token's step replayed as a CUDA graph.

To launch a large backbone's kernels one by one takes several times as long as they run.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, StaticCache

# Tokens of a question and its answer together; longer ones are rare.
ROOM = 1024
# What would change the likeliest token, among the settings of a backbone's generation.
CHANGES = (
    "repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "sequence_bias",
    "suppress_tokens",
    "begin_suppress_tokens",
    "min_length",
    "min_new_tokens",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "exponential_decay_length_penalty",
    "guidance_scale",
)


def is_plain(config: GenerationConfig) -> bool:
    """Return whether a backbone writes its likeliest token as it is where nothing is drawn."""
    return all(not getattr(config, name, None) or getattr(config, name) == 1.0 for name in CHANGES)


class Replays:
    """Answers of a model from a graph that is captured when a second question comes.

    To capture it takes longer than one answer. Its first answer is to be compared with the model's
    own, and told to `believe`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layout: int | None = None
        self._decoder: Decoder | None = None
        self._plain = is_plain(model.generation_config)
        self._lock = threading.Lock()
        self.believed = False

    def write(
        self, prompt: Sequence[int], most: int, ends: Collection[int], layout: int
    ) -> tuple[list[int], list[float]] | None:
        """Return what `Decoder.write` does; None where the model itself should answer.

        ``layout`` changes when tensors of the model are replaced by others. Threads take turns.
        """
        with self._lock:
            return self._written(prompt, most, ends, layout)

    def _written(
        self, prompt: Sequence[int], most: int, ends: Collection[int], layout: int
    ) -> tuple[list[int], list[float]] | None:
        if not self._plain or len(prompt) + most > ROOM:
            return None
        if self._layout != layout:
            self._layout, self._decoder, self.believed = layout, None, False
            return None
        if self._decoder is None:
            try:
                self._decoder = Decoder(self._model, ROOM)
            except RuntimeError as error:
                # A class of backbone may wait for the GPU in its forward pass.
                self._give_up(str(error).splitlines()[0])
                return None
        return self._decoder.write(prompt, most, ends)

    def believe(self, same: bool) -> None:
        """Say whether the first answer was what the model itself answers."""
        self.believed = same
        if not same:
            self._give_up("a captured answer was another than the backbone's own")

    def _give_up(self, reason: str) -> None:
        self._plain, self._decoder = False, None
        logging.getLogger(__name__).warning(
            "This backbone's answers cannot be captured, and are slower: %s", reason
        )


class Decoder:
    """Writes with a model as it is mounted now, in a cache of ``room`` tokens.

    On a CPU nothing is captured. One thread at a time may use it.
    """

    def __init__(self, model: Any, room: int) -> None:
        self._text, self._head = model.get_decoder(), model.get_output_embeddings()
        # A graph reads them where they are, whatever is mounted after them.
        self._kept = list(model.parameters())
        device = self._head.weight.device
        with torch.inference_mode():
            self._cache = StaticCache(config=model.config.get_text_config(), max_cache_len=room)
            self._token = torch.zeros((1, 1), dtype=torch.long, device=device)
            self._place = torch.zeros((1, 1), dtype=torch.long, device=device)
            self._logprob = torch.zeros(1, device=device)
            self._replay: Callable[[], Any] = self._step
            if device.type == "cuda":
                self._replay = self._captured().replay

    def write(
        self, prompt: Sequence[int], most: int, ends: Collection[int]
    ) -> tuple[list[int], list[float]]:
        """Return the tokens after a prompt and their log-probabilities.

        They end with one of ``ends``, or there are ``most`` of them.
        """
        written: list[int] = []
        logprobs: list[torch.Tensor] = []
        with torch.inference_mode():
            self._read(torch.tensor([list(prompt)], device=self._token.device))
            while True:
                logprobs.append(self._logprob.clone())
                written.append(int(self._token))
                if written[-1] in ends or len(written) == most:
                    return written, torch.cat(logprobs).tolist()
                self._replay()

    def _captured(self) -> torch.cuda.CUDAGraph:
        self._read(torch.zeros((1, 2), dtype=torch.long, device=self._token.device))
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Another thread may be at work on the same GPU.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._step()
        return graph

    def _read(self, ids: torch.Tensor) -> None:
        self._cache.reset()
        self._forward(ids, torch.arange(ids.shape[1], device=ids.device)[None])
        self._place.fill_(ids.shape[1])

    def _step(self) -> None:
        self._forward(self._token, self._place)
        self._place.add_(1)

    def _forward(self, ids: torch.Tensor, places: torch.Tensor) -> None:
        states = self._text(
            input_ids=ids, position_ids=places, past_key_values=self._cache, use_cache=True
        ).last_hidden_state
        logits = self._head(states[:, -1]).float()
        most = logits.max(dim=-1, keepdim=True)
        self._token.copy_(most.indices)
        self._logprob.copy_((most.values - logits.logsumexp(dim=-1, keepdim=True))[:, 0])
