"""One backbone, many NKRs: questions about different videos share its batches.

Adapters are read when they are first asked, kept in memory by last use within a bound of bytes, and
lie in a bounded number of slots of the model.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from training.answerer import Answer
from training.backbone import Backbone
from training.errors import NKRError
from training.generate import BATCH, Generator
from training.lora import make_bare
from training.moments import told
from training.mount import check_backbone
from training.nkr import NKR, read_nkr
from training.slots import BARE, Adapter, Slots

SHUT_DOWN = "The backbone has been shut down."


@dataclass(frozen=True)
class _Question:
    nkr: NKR | None
    text: str
    context: str | None
    answered: "Future[Answer]"


class Rack:
    """Answers from many threads at once; one thread of its own runs the model.

    ``slots`` adapters lie in the model at a time, ``memory`` bytes of them are kept beside it.
    """

    def __init__(self, backbone: Backbone, *, slots: int = 8, memory: int = 1 << 30) -> None:
        make_bare(backbone.model)
        self.backbone = backbone
        self._slots = Slots(backbone.model, slots)
        self._generator = Generator(backbone, before_batch=self._choose, replays=True)
        self._memory = memory
        self._adapters: OrderedDict[str, Adapter] = OrderedDict()
        self._mounted: OrderedDict[str, int] = OrderedDict()
        self._free = list(range(slots, BARE, -1))
        self._waiting: deque[_Question] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._rows: list[int] = []
        self._thread = threading.Thread(target=self._work, name="rack", daemon=True)
        self._thread.start()

    @property
    def tokenizer(self) -> Any:
        """The backbone's tokenizer."""
        return self.backbone.tokenizer

    def of(self, nkr: NKR | None) -> "Seat":
        """Return what answers with an NKR; None is the bare backbone."""
        if nkr is not None:
            check_backbone(self.backbone, nkr)
        return Seat(self, nkr)

    def ask(
        self, asked: Sequence[tuple[NKR | None, str]], *, context: str | None = None
    ) -> list[Answer]:
        """Answer questions, each through its own NKR; one answer a question, in order.

        Raises `NKRError` where a question is too long to read, or an adapter cannot be read.
        """
        questions = [_Question(nkr, text, context, Future()) for nkr, text in asked]
        with self._changed:
            if self._closed:
                raise NKRError(SHUT_DOWN)
            self._waiting.extend(questions)
            self._changed.notify()
        return [question.answered.result() for question in questions]

    def close(self) -> None:
        """End what is being answered, tell what waits that it is over, and leave the model bare."""
        with self._changed:
            self._closed = True
            waiting = [*self._waiting]
            self._waiting.clear()
            self._changed.notify()
        for question in waiting:
            question.answered.set_exception(NKRError(SHUT_DOWN))
        # A finalizer may run anywhere, in that thread too.
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._slots.close()

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                self._answer(batch)
            except BaseException:
                # One question may spoil a batch: each is asked alone before it is given up.
                for question in batch:
                    self._alone(question)

    def _next_batch(self) -> list[_Question]:
        """Return what waits, over no more NKRs than slots, with contexts or all without."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch: list[_Question] = []
            left: list[_Question] = []
            names: set[str] = set()
            while self._waiting and len(batch) < BATCH:
                question = self._waiting.popleft()
                name = _name(question.nkr)
                full = name and name not in names and len(names) == self._slots.count
                # Beside what is read in a context, short questions would be mostly padding.
                other = batch and (question.context is None) != (batch[0].context is None)
                if full or other:
                    left.append(question)
                    continue
                names |= {name} - {""}
                batch.append(question)
            self._waiting.extendleft(reversed(left))
            return batch

    def _alone(self, question: _Question) -> None:
        if question.answered.done():
            return
        try:
            self._answer([question])
        except BaseException as error:
            question.answered.set_exception(error)

    def _answer(self, batch: Sequence[_Question]) -> None:
        used = {_name(question.nkr) for question in batch}
        self._rows = [self._slot(question.nkr, used) for question in batch]
        found = self._generator.answer(
            [question.text for question in batch],
            contexts=[question.context for question in batch],
        )
        for question, answer in zip(batch, found, strict=True):
            moments = question.nkr and question.nkr.manifest.moments
            question.answered.set_result(told(answer) if moments else answer)

    def _choose(self, rows: Sequence[int]) -> int:
        self._slots.choose([self._rows[row] for row in rows])
        return self._slots.layout

    def _slot(self, nkr: NKR | None, used: set[str]) -> int:
        """Return the slot of an NKR, which is put into the one that was used longest ago."""
        if nkr is None:
            return BARE
        name = _name(nkr)
        if name not in self._mounted:
            adapter = self._adapter(nkr)
            if not self._free:
                oldest = next(other for other in self._mounted if other not in used)
                self._free.append(self._mounted.pop(oldest))
            # One that does not fit leaves its slot free.
            self._slots.put(self._free[-1], adapter)
            self._mounted[name] = self._free.pop()
        self._mounted.move_to_end(name)
        return self._mounted[name]

    def _adapter(self, nkr: NKR) -> Adapter:
        name = _name(nkr)
        if name not in self._adapters:
            # Between the listing and the first question the files may have been changed.
            current = read_nkr(nkr.folder, weights_only=True)
            if _name(current) != name:
                raise NKRError(f"The NKR in {nkr.folder} was replaced meanwhile: ask again.")
            self._adapters[name] = Adapter(nkr.folder)
        self._adapters.move_to_end(name)
        while len(self._adapters) > 1 and self._held() > self._memory:
            self._adapters.popitem(last=False)
        return self._adapters[name]

    def _held(self) -> int:
        return sum(adapter.bytes for adapter in self._adapters.values())


class Seat:
    """An `Answerer`: the rack with one NKR, or the bare backbone."""

    def __init__(self, rack: Rack, nkr: NKR | None) -> None:
        self._rack, self._nkr = rack, nkr

    def answer(self, questions: Sequence[str], *, context: str | None = None) -> list[Answer]:
        """Return one answer a question, in order."""
        return self._rack.ask([(self._nkr, question) for question in questions], context=context)


def _name(nkr: NKR | None) -> str:
    """Return what tells adapters apart: the seal over the hashes of an NKR's files."""
    return nkr.manifest.seal if nkr else ""
