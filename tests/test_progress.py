"""How far a stage is, and how long it still takes, on a stderr that is no terminal."""

import re

import pytest

from graphs.distill import progress
from graphs.distill.progress import Event, Progress


@pytest.mark.parametrize("first", [1, 500])
def test_what_was_done_before_tells_nothing_of_the_time_left(
    first: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step takes a second; a training that goes on begins at its last checkpoint."""
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with Progress() as shown:
        for step in range(first, first + 60):
            shown.show(Event(stage="train", done=step, total=1000))
            clock[0] += 1.0
    lines = re.findall(r"train: (\d+)/1000, (\d+) s, (\d+) s left", capsys.readouterr().err)
    assert len(lines) >= 3
    for done, seconds, left in lines:
        assert int(seconds) == int(done) - first
        assert int(left) == 1000 - int(done)
