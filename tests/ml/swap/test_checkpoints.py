"""A checkpoint is whole or not there, whatever happens to the process that writes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.swap.checkpoints import KEPT, Checkpoints

if TYPE_CHECKING:
    from pathlib import Path

SAVER = """
import sys, numpy as np
from pathlib import Path
from ml.swap.checkpoints import Checkpoints
kept = Checkpoints(Path(sys.argv[1]))
for step in range(1, 10_000):
    kept.save(step, {"w": np.full(3_000_000, step, np.float32)}, {"note": "x"})
"""


def test_the_last_three_are_kept_and_read_back(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    assert kept.newest() is None
    for step in (1, 2, 3, 4, 5):
        kept.save(step, {"w": np.full(4, step, np.float32)}, {"loss": step / 10})
    assert [path.name for path in kept.paths()] == [f"step-0000000{step}.npz" for step in (3, 4, 5)]
    assert len(kept.paths()) == KEPT
    newest = kept.newest()
    assert newest is not None
    assert newest.about == {"loss": 0.5, "step": 5}
    assert np.array_equal(newest.arrays["w"], np.full(4, 5, np.float32))


@pytest.mark.parametrize("moment", range(3))
def test_a_process_killed_in_the_middle_of_a_save_leaves_a_whole_checkpoint(tmp_path: Path, moment: int) -> None:
    saver = subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path)])
    deadline = time.monotonic() + 60
    try:
        # Only a kill while the half-written file is there is one in the middle of a save.
        while not (list(tmp_path.glob("*.npz")) and list(tmp_path.glob("*.part"))):
            assert time.monotonic() < deadline
            assert saver.poll() is None
        time.sleep(moment * 0.002)
    finally:
        os.kill(saver.pid, signal.SIGKILL)
        saver.wait()
    kept = Checkpoints(tmp_path)
    assert list(tmp_path.glob("*.part")) == []
    newest = kept.newest()
    assert newest is not None
    assert np.array_equal(newest.arrays["w"], np.full(3_000_000, newest.about["step"], np.float32))


def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    for step in (1, 2):
        kept.save(step, {"w": np.arange(100.0)}, {})
    path = kept.paths()[-1]
    path.write_bytes(path.read_bytes()[:300])
    newest = kept.newest()
    assert newest is not None
    assert newest.about["step"] == 1


def test_a_full_disk_leaves_the_older_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Checkpoints(tmp_path)
    kept.save(1, {"w": np.zeros(4)}, {})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            kept.save(2, {"w": np.ones(4)}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001.npz"]
