"""What a backbone reads when it is asked: the same in training and in answering."""

from typing import Any


def plain(tokenizer: Any, text: str) -> str:
    """Return a text without special tokens spelled out, which end turns or stand for pixels."""
    for token in tokenizer.all_special_tokens:
        text = text.replace(token, " ")
    return text


def user_turn(question: str, context: str | None = None) -> str:
    """Return what the user says: the question, after the context where there is one."""
    return f"{context}\n\n{question}" if context else question


def prompt(processor: Any, turn: str) -> str:
    """Return the text up to where the assistant's answer begins."""
    message = {"role": "user", "content": [{"type": "text", "text": turn}]}
    return processor.apply_chat_template([message], tokenize=False, add_generation_prompt=True)
