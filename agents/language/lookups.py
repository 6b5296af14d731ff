"""An agent's own looking: it names one tool at a time, and what that finds goes into its question.

The tools are named in the reply and not called through the protocol's own tool calls: those have to
be switched on at many servers, and take no pictures in their results.
"""

import json
from typing import Any

from agents.language.chat import Chat
from agents.language.fence import fenced
from agents.language.pictures import Pictures, Together
from agents.language.prompts import prompt
from agents.language.schemas import Step
from agents.language.watch import Watch

STEPS = 3
FOUND = 5


class Lookups:
    """What was looked up so far, in words and in pictures."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._lines: list[str] = []
        self._blocks: list[dict[str, Any]] = []

    @property
    def found(self) -> str:
        """What was found in words, fenced."""
        return fenced("LOOKED UP", self._lines)

    def with_pictures(self, pictures: Pictures) -> Pictures:
        """Return pictures, and the ones that were looked up, if any, after them."""
        return Together(pictures, self._blocks) if self._blocks else pictures

    def gather(
        self, chat: Chat, agent: str, task: str, known: str, pictures: Pictures, steps: int = STEPS
    ) -> None:
        """Let an agent look up at most so many things before it decides on its task."""
        for left in range(steps, 0, -1):
            step = chat.ask(
                agent,
                prompt("look_up"),
                Step,
                self.with_pictures(pictures),
                task=task,
                known=known,
                found=self.found,
                left=left,
            )
            if step.action == "decide":
                return
            self._take(step)

    def _take(self, step: Step) -> None:
        """Do one step; what cannot be done is told, and costs the agent a step."""
        try:
            name, arguments = _tool(step)
            result = self._watch.tools[name].invoke(arguments)
        except (ValueError, IndexError) as error:
            self._lines.append(
                f"{step.action}: not possible ({' '.join(str(error).split())[:120]})"
            )
            return
        said = f"{step.action} {json.dumps(arguments, ensure_ascii=False)}"
        if step.action in ("frames", "zoom"):
            self._lines.append(f"{said}: see the pictures")
            self._blocks += result
        else:
            rows = [json.dumps(row, ensure_ascii=False) for row in result]
            self._lines += [f"{said}: {len(rows)} found", *rows]


def _tool(step: Step) -> tuple[str, dict[str, Any]]:
    """Return the tool behind a step, and its arguments."""
    if step.action == "frames":
        if not step.times:
            raise ValueError("no times")
        return "frames_at", {"times": step.times}
    if step.action == "zoom":
        if len(step.box) != 4:
            raise ValueError("a box is four numbers")
        return "zoom_at", {"time": step.times[0], "box": step.box}
    if step.action == "text":
        return "read_text_at", {"time": step.times[0]}
    if step.action == "speech":
        return "speech_between", {"start": step.times[0], "end": step.times[-1]}
    return "search_evidence", {"query": step.query, "k": FOUND}
