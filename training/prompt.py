"""What a backbone reads when it is asked: the same in training and in answering."""

from typing import Any


def plain(tokenizer: Any, text: str) -> str:
    """Return a text without special tokens spelled out, which end turns or stand for pixels."""
    for token in tokenizer.all_special_tokens:
        text = text.replace(token, " ")
    return text


def is_text(text: str) -> bool:
    """Tell whether a text is valid Unicode: a terminal or JSON may bring half of a pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def user_turn(question: str, context: str | None = None) -> str:
    """Return what the user says: the question, after the context where there is one."""
    return f"{context}\n\n{question}" if context else question


def prompt(processor: Any, turn: str) -> str:
    """Return the text up to where the assistant's answer begins."""
    return processor.apply_chat_template(
        [_message("user", turn)], tokenize=False, add_generation_prompt=True
    )


def exchange(processor: Any, turn: str, answer: str) -> tuple[str, str]:
    """Return the prompt, and what follows it where the assistant answers so: answer and end."""
    messages = [_message("user", turn), _message("assistant", answer)]
    whole = processor.apply_chat_template(messages, tokenize=False)
    begun = prompt(processor, turn)
    # Some templates open an answer otherwise than they show a past one.
    ended = f"{answer}{processor.tokenizer.eos_token}"
    return begun, whole.removeprefix(begun) if whole.startswith(begun) else ended


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}
