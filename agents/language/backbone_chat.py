"""The chat model behind ``--agents backbone``: the loaded backbone itself, its adapter off."""

import base64
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from PIL import Image
from pydantic import PrivateAttr

from agents.language.frame_merging import can_merge, merged
from agents.language.json_guide import MOST_ITEMS, MOST_LETTERS, JsonGuide
from training.backbone import Backbone
from training.lora import make_bare

# Two dozen questions in all their wordings, which a reply that is cut off would not have.
MOST_TOKENS = 8192
_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class BackboneChat(BaseChatModel):
    """A vision-language model of this process that answers messages with pictures, greedily.

    With ``response_format`` (a JSON schema, as OpenAI's protocol has it) every reply keeps to it.
    May be used by several threads: one is answered at a time. Raises `ContextOverflowError` where a
    request is longer than the model reads, or than the GPU's memory holds.
    """

    backbone: Any
    most_tokens: int = MOST_TOKENS
    most_items: int = MOST_ITEMS
    most_letters: int = MOST_LETTERS
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def model_name(self) -> str:
        """The backbone's name, with what tells its weights apart."""
        return f"{self.backbone.name}@{self.backbone.revision[:12]}"

    @property
    def merges(self) -> bool:
        """Whether a picture block with a ``topic`` is read as one token."""
        return can_merge(self.backbone)

    @property
    def _llm_type(self) -> str:
        return "backbone"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        *,
        response_format: dict[str, Any] | None = None,
        **how: Any,
    ) -> ChatResult:
        with self._lock, _fitting():
            make_bare(self.backbone.model)
            inputs = dict(encoded(self.backbone, messages).to(self.backbone.model.device))
            topics = _topics(messages)
            if any(topic is not None for topic in topics):
                inputs = merged(self.backbone, inputs, topics)
            read = inputs["input_ids"].shape[1]
            config = self.backbone.model.config.get_text_config()
            room = config.max_position_embeddings - read
            if room < min(self.most_tokens, config.max_position_embeddings // 4):
                raise ContextOverflowError(f"{read} tokens leave no room for a reply")
            guides = []
            if response_format is not None:
                schema = response_format["json_schema"]["schema"]
                bounds = {"items": self.most_items, "letters": self.most_letters}
                guides = [JsonGuide(self.backbone.tokenizer, schema, read, **bounds)]
            tokens = self._written(inputs, guides, min(room, self.most_tokens))
        text = self.backbone.tokenizer.decode(tokens, skip_special_tokens=True)
        usage = {
            "input_tokens": read,
            "output_tokens": len(tokens),
            "total_tokens": read + len(tokens),
        }
        message = AIMessage(text, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _written(self, inputs: Any, guides: list[JsonGuide], most: int) -> list[int]:
        with torch.inference_mode():
            output = self.backbone.model.generate(
                **inputs,
                do_sample=False,
                max_new_tokens=most,
                pad_token_id=self.backbone.tokenizer.pad_token_id,
                logits_processor=guides,
            )
        return output[0, inputs["input_ids"].shape[1] :].tolist()


@contextmanager
def _fitting() -> Iterator[None]:
    """Tell of frames that do not fit the GPU as of any others that are too many."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ContextOverflowError("it does not fit the GPU's memory") from error


def encoded(backbone: Backbone, messages: Sequence[BaseMessage]) -> Any:
    """Return what the model reads of messages: token ids, and its pictures' pixels."""
    return backbone.processor.apply_chat_template(
        [_told(message) for message in messages],
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        add_generation_prompt=True,
    )


def _topics(messages: Sequence[BaseMessage]) -> list[str | None]:
    """Return for each picture what it is merged for, None for what stays whole."""
    blocks = (block for message in messages for block in message.content)
    pictures = (block for block in blocks if isinstance(block, dict) and block["type"] == "image")
    return [block.get("topic") for block in pictures]


def _told(message: BaseMessage) -> dict[str, Any]:
    content = message.content
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {"role": _ROLES[message.type], "content": [_part(block) for block in blocks]}


def _part(block: Any) -> dict[str, Any]:
    if block["type"] == "image":
        picture = Image.open(io.BytesIO(base64.b64decode(block["base64"]))).convert("RGB")
        return {"type": "image", "image": picture}
    return {"type": "text", "text": block["text"]}
