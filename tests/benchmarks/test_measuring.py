"""The benchmarks' own arithmetic: turns are taken, ratios are those of the rounds, and a failure is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.measuring import Table, Timing, interleave, milliseconds

ROOT = Path(__file__).resolve().parents[2]


def test_candidates_take_turns_after_warming_up() -> None:
    calls: list[str] = []
    found = interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, warm_up=1)
    assert calls == ["a", "b"] * 4
    assert {name: len(timing.rounds) for name, timing in found.items()} == {"a": 3, "b": 3}
    assert all(seconds > 0 for timing in found.values() for seconds in timing.rounds)


def test_a_ratio_is_taken_round_by_round() -> None:
    ours, peer = Timing((1.0, 2.0, 10.0)), Timing((2.0, 6.0, 20.0))
    assert peer.ratio_to(ours) == 2.0, "a slow spell of the machine meets both, and cancels out"
    assert ours.median == 2.0
    with pytest.raises(ValueError, match="zip"):
        ours.ratio_to(Timing((1.0,)))


def test_times_and_tables_in_words() -> None:
    assert milliseconds(Timing((0.010, 0.010, 0.010))) == "10.0 ms (10.0-10.0)"
    table = Table("Title", ("a", "b"), [("1", "2")], "About.", [("fast enough", True), ("small enough", False)])
    assert table.markdown() == (
        "## Title\n\nAbout.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n"
        "- holds: fast enough\n- **does not hold**: small enough\n"
    )


def test_unknown_names_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "toaster"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "toaster" in done.stderr
