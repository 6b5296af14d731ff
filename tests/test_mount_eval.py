"""The measurement of mounting many, with few."""

from pathlib import Path

import pytest

from evals import mount


def test_everything_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount, "COUNTS", (1, 8))
    monkeypatch.setattr(mount, "QUESTIONS", 8)
    monkeypatch.setattr(mount, "REPEATS", 1)
    monkeypatch.setattr("training.generate.MAX_NEW_TOKENS", 3)
    found = mount.measure(tmp_path)
    assert found["swap"].keys() == {"cold_load_ms", "hot_swap_ms", "peft_hotswap_ms"}
    assert all(value > 0 for value in found["swap"].values())
    assert found["eight_questions_of_eight_nkrs"]["times_faster"] > 0
    assert found["answers_per_second"].keys() == {"1 NKRs, 8 slots", "8 NKRs, 8 slots"}
    assert found["adapter_bytes"] > 1_000_000
