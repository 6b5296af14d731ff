"""The forgetting probe: how much of the backbone's reading an adapter has spoilt.

The probe is a fixed list of short texts with a question each, which has nothing to do with any
video and which the shipped backbone reads well: of two invented shots a fact is asked by another
of the same shot. Whatever an adapter knows, it must leave these answers alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from training.mount import Mounted
from training.probe import Reading, read_probe
from training.scoring import fold

# Exchanges whose log-probabilities are held at one time.
AT_ONCE = 16


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


def measure(mounted: Mounted, probe: Sequence[Reading] | None = None) -> Forgetting:
    """Ask the probe with and without the adapter, and compare."""
    probe = read_probe() if probe is None else probe
    turns = [item.turn for item in probe]
    expected = [item.answer for item in probe]
    blind, told = mounted.blind.answer(turns), mounted.answer(turns)

    def right(answers: Sequence[str]) -> float:
        pairs = zip(answers, expected, strict=True)
        return sum(fold(given) == fold(answer) for given, answer in pairs) / len(probe)

    before, after = right([a.text for a in blind]), right([a.text for a in told])
    same = sum(fold(a.text) == fold(b.text) for a, b in zip(blind, told, strict=True))
    # A hub model's table of a hundred thousand words for every token of the probe is gigabytes.
    divergences: list[float] = []
    for first in range(0, len(probe), AT_ONCE):
        some = turns[first : first + AT_ONCE], expected[first : first + AT_ONCE]
        pairs = zip(mounted.blind.logprobs(*some), mounted.logprobs(*some), strict=True)
        divergences += [(p.exp() * (p - q)).sum(-1).mean().item() for p, q in pairs]
    return Forgetting(
        prompts=len(probe),
        right_blind=before,
        right_mounted=after,
        accuracy_lost=before - after,
        kl=sum(divergences) / len(divergences),
        unchanged=same / len(probe),
    )
