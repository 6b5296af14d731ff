"""How often each fact is met in training, and that none is met too seldom."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import cycle, islice

from training.corpus import Record

# A fact that is met less than this share of what is usual is met more often, in the same words.
LEAST_SHARE = 0.6


def met(records: Sequence[Record]) -> Counter[str]:
    """Return in how many records each fact stands, by its id."""
    return Counter(fact for record in records for fact in record.fact_ids)


def evened(records: Sequence[Record]) -> list[Record]:
    """Return the records, those of rare facts repeated until they come to `LEAST_SHARE`."""
    counts = met(records)
    if not counts:
        return list(records)
    least = LEAST_SHARE * statistics.median(counts.values())
    by_fact: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        for fact in record.fact_ids:
            by_fact[fact].append(record)
    repeated: list[Record] = []
    for fact, found in by_fact.items():
        missing = round(least) - counts[fact]
        repeated += islice(cycle(found), max(0, missing))
    return [*records, *repeated]


def summary(records: Sequence[Record], passes: float) -> dict[str, float]:
    """Return the least, the median and the most that a fact is met in so many passes."""
    counts = [count * passes for count in met(records).values()] or [0.0]
    return {
        "least": round(min(counts), 1),
        "median": round(statistics.median(counts), 1),
        "most": round(max(counts), 1),
    }
