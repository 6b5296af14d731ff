"""The forgetting probe: how much of the backbone's reading an adapter has spoilt.

The probe is a fixed list of short texts with a question each, which has nothing to do with any
video and which the shipped backbone reads well: of two invented shots a fact is asked by another
of the same shot. Whatever an adapter knows, it must leave these answers alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import eq

from training.mount import Mounted
from training.probe import AT_ONCE, Reading, read_probe
from training.scoring import fold


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an NKR may lose before it is not published."""

    accuracy_lost: float = 0.02
    kl: float = 0.5
    unchanged: float = 0.8


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """What the probe found.

    ``right_blind`` and ``right_mounted`` are shares of right answers without and with the adapter,
    ``accuracy_lost`` their difference; ``kl`` the mean KL divergence of the mounted from the blind
    backbone over the tokens of the expected answers, in nats; ``unchanged`` the share of greedy
    answers that the adapter leaves as they are.
    """

    prompts: int
    right_blind: float
    right_mounted: float
    accuracy_lost: float
    kl: float
    unchanged: float

    def exceeded(self, limits: Limits) -> list[str]:
        """Return what is past its limit, in words."""
        found = []
        if self.accuracy_lost > limits.accuracy_lost:
            found.append(f"{self.accuracy_lost:.3f} of its answers lost ({limits.accuracy_lost})")
        if self.kl > limits.kl:
            found.append(f"a KL divergence of {self.kl:.3f} nats ({limits.kl})")
        if self.unchanged < limits.unchanged:
            found.append(f"{self.unchanged:.3f} of its answers unchanged ({limits.unchanged})")
        return found


def measure(
    mounted: Mounted,
    probe: Sequence[Reading] | None = None,
    *,
    on_batch: Callable[[int], bool] = lambda asked: True,
) -> Forgetting:
    """Ask the probe with and without the adapter, and compare.

    ``on_batch`` is told before each batch but the first how many exercises were asked, and may end
    it there: the probe's order is random, so that what was asked is a fair sample.
    """
    probe = read_probe() if probe is None else probe
    before: list[bool] = []
    after: list[bool] = []
    same: list[bool] = []
    divergences: list[float] = []
    for first in range(0, len(probe), AT_ONCE):
        if first and not on_batch(first):
            break
        some = probe[first : first + AT_ONCE]
        turns, expected = [item.turn for item in some], [item.answer for item in some]
        blind = [fold(answer.text) for answer in mounted.blind.answer(turns)]
        told = [fold(answer.text) for answer in mounted.answer(turns)]
        answers = [fold(answer) for answer in expected]
        before += map(eq, blind, answers)
        after += map(eq, told, answers)
        same += map(eq, blind, told)
        tables = zip(
            mounted.blind.logprobs(turns, expected), mounted.logprobs(turns, expected), strict=True
        )
        divergences += [(p.exp() * (p - q)).sum(-1).mean().item() for p, q in tables]
    asked = len(same)
    return Forgetting(
        prompts=asked,
        right_blind=sum(before) / asked,
        right_mounted=sum(after) / asked,
        accuracy_lost=(sum(before) - sum(after)) / asked,
        kl=sum(divergences) / asked,
        unchanged=sum(same) / asked,
    )
