"""What pretraining reads: talks, each a sheet of text and questions about it with their answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """What the user says and what the assistant answers.

    ``part`` is the number, from one, of the sheet's part that the answer is read from; 0: of none
    or of several.
    """

    user: str
    assistant: str
    part: int = 0


@dataclass(frozen=True)
class Talk:
    """The parts of a sheet that stands before the first question, a line each, and the turns.

    Where they are not ``together``, every question is asked as if it were the first.
    """

    sheet: tuple[str, ...]
    turns: list[Turn]
    together: bool = False
