"""What the swap is measured by: nothing transferred counts one, and the table says what was won."""

from __future__ import annotations

import numpy as np
import pytest

from ml.evaluate.swap import markdown
from ml.evaluate.swap_measures import Measures, rigid_distance, together
from ml.swap.alignment import mean_mesh


def figures(identity: float, landmarks: float) -> Measures:
    return Measures(identity, landmarks, 0.1, 1.0, 0.0, 0.0)


def test_each_half_is_one_where_nothing_is_transferred() -> None:
    copied = figures(0.8, 0.0)
    assert together(copied, copied, 0.05) == pytest.approx(1.0)
    assert together(figures(0.4, 0.05), copied, 0.05) == pytest.approx(1.5)
    assert together(figures(0.0, 0.0), copied, 0.05) == 0.0


def test_a_mesh_that_is_only_moved_turned_and_scaled_is_at_no_distance() -> None:
    mesh = np.asarray(mean_mesh()[:, :2] * 100, np.float32)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32) * 1.7
    moved = np.asarray(mesh @ turn.T + (40, 90), np.float32)
    assert rigid_distance(mesh, [moved]) < 1e-5
    open_mouth = moved.copy()
    open_mouth[14:18] += 20
    assert rigid_distance(mesh, [moved, open_mouth]) > 1e-3


def test_the_table_counts_what_was_won() -> None:
    def row(identity: float, landmarks: float, wins: bool) -> dict[str, object]:
        names = {"swap": (identity, landmarks), "copy the target": (0.8, 0.0), "warp and paste": (0.5, 0.02)}
        keys = ("identity", "landmarks", "gaze", "background", "flicker", "lost")
        measures = {name: dict(zip(keys, (*two, 0.0, 1.0, 0.0, 0.0), strict=True)) for name, two in names.items()}
        return {"measures": measures, "together": dict.fromkeys(names, 1.0), "steps": 5, "seconds": 60, "wins": wins}

    text = markdown({"rows": [row(0.4, 0.01, True), row(0.6, 0.03, False)], "device": "CPU"})
    assert "smallest sum on 1 of 2 pairs" in text
    assert "than the copy on 2, and than the warped photograph on 1; nearer" in text
    assert "landmarks than that photograph on 1." in text
    assert "60 to 60 s each" in text
