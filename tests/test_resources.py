"""What many branches use is loaded once, however many need it at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from graphs.distill.resources import loaded_once


def test_branches_that_begin_together_get_the_same() -> None:
    together = Barrier(8)

    @loaded_once(2)
    def load(name: str) -> object:
        time.sleep(0.05)
        return object()

    def branch(_: int) -> int:
        together.wait()
        return id(load("team"))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(branch, range(8)))) == 1
    assert load("another") is not load("team")
