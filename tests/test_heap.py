"""Memory that is freed goes back to the system, and a run asks for it."""

import subprocess
import sys

import pytest

FREED = """
from graphs.distill.heap import give_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20

pieces = [bytearray(20_000) for _ in range(20_000)]
kept = pieces[::400]
full = resident()
del pieces
give_back()
print(full, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_lies_in_pieces_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    full, left = map(int, done.stdout.split())
    assert full > 380
    assert left < full / 4


def test_a_system_without_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphs.distill import heap

    heap._trim.cache_clear()
    monkeypatch.setattr(heap.ctypes.util, "find_library", lambda name: None)
    heap.give_back()
    heap._trim.cache_clear()
