"""From a driver's keypoints to the portrait's: scale, steadiness, and a start that fits."""

from __future__ import annotations

import numpy as np
import pytest

from ml.animate.motion import best_start, enlarged, moved, smoothed
from ml.animate.settings import Motion, MotionSettings
from ml.networks.fomm import Keypoints

RANDOM = np.random.default_rng(6)
PLAIN = MotionSettings(smoothing=0)


def keypoints(count: int, spread: float = 0.1) -> Keypoints:
    value = RANDOM.uniform(-0.6, 0.6, (1, 10, 2)) + RANDOM.normal(0, spread, (count, 10, 2))
    jacobian = np.eye(2) + RANDOM.normal(0, 0.1, (count, 10, 2, 2))
    return Keypoints(value.astype(np.float32), jacobian.astype(np.float32))


def test_at_the_start_frame_a_relative_motion_is_the_portrait_itself() -> None:
    source, driving = keypoints(1), keypoints(5)
    aim = moved(source, driving, 3, PLAIN)
    assert aim.value.shape == (5, 10, 2)
    assert np.allclose(aim.value[3], source.value[0], atol=1e-5)
    assert np.allclose(aim.jacobian[3], source.jacobian[0], atol=1e-5)
    assert np.abs(aim.value[0] - source.value[0]).max() > 0.05


def test_an_absolute_motion_is_the_drivers_own() -> None:
    source, driving = keypoints(1), keypoints(4)
    aim = moved(source, driving, 0, MotionSettings(Motion.ABSOLUTE, smoothing=0))
    assert np.allclose(aim.value, driving.value, atol=1e-5)


@pytest.mark.parametrize("movement", [0.0, 0.5, 2.0])
def test_movement_is_so_many_times_the_way(movement: float) -> None:
    source, driving = keypoints(1), keypoints(4, 0.02)
    once = moved(source, driving, 0, PLAIN)
    more = moved(source, driving, 0, MotionSettings(movement=movement, smoothing=0))
    assert np.allclose(more.value - source.value, movement * (once.value - source.value), atol=1e-5)


def test_nothing_is_folded_over_however_far_it_goes() -> None:
    source = Keypoints(np.zeros((1, 2, 2), np.float32), np.tile(np.eye(2, dtype=np.float32), (1, 2, 1, 1)))
    flat = np.tile(np.diag([1.0, 0.3]).astype(np.float32), (1, 2, 1, 1))
    aim = enlarged(source, Keypoints(source.value, flat), 2.0)  # would be -0.4 high
    assert np.linalg.det(aim.jacobian).min() >= 0.15 - 1e-6


def test_smoothing_steadies_and_keeps_what_stands_still() -> None:
    shaken = keypoints(40, 0.1)
    steady = smoothed(shaken, 2.0)
    assert np.abs(np.diff(steady.value, axis=0)).mean() < 0.3 * np.abs(np.diff(shaken.value, axis=0)).mean()
    still = Keypoints(shaken.value[:1].repeat(9, 0), shaken.jacobian[:1].repeat(9, 0))
    assert np.allclose(smoothed(still, 3.0).value, still.value, atol=1e-6)
    assert smoothed(shaken, 0) is shaken


def test_the_best_start_is_the_most_alike_whatever_its_place_and_size() -> None:
    portrait = RANDOM.normal(0, 50, (478, 2)).astype(np.float32)
    others = [RANDOM.normal(0, 50, (478, 2)).astype(np.float32) for _ in range(3)]
    assert best_start(portrait, [others[0], None, portrait * 0.4 + 300, others[1], others[2]]) == 2
    assert best_start(portrait, [None, None]) == 0
    assert best_start(portrait, []) == 0


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"movement": 2.1}, {"movement": -0.1}, {"smoothing": 9.0}, {"detail": 1.5}):
        with pytest.raises(ValueError, match="is 0 to"):
            MotionSettings(**wrong)
