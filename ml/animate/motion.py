"""From a driver's keypoints to those that the portrait is to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.animate.settings import Motion
from ml.networks.fomm import Keypoints, normalise
from ml.networks.fomm.keypoints import hull_area

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.animate.settings import MotionSettings

_LEAST_AREA = 0.15
"""A jacobian may shrink an area to this share of the portrait's and no further: its inverse would tear the picture."""


def moved(source: Keypoints, driving: Keypoints, start: int, settings: MotionSettings) -> Keypoints:
    """The keypoints of every frame. source: of the portrait, N = 1. driving: of the driver's frames. start: the frame
    whose keypoints stand for the portrait's own.
    """
    driving = smoothed(driving, settings.smoothing)
    initial = Keypoints(driving.value[start : start + 1], driving.jacobian[start : start + 1])
    relative = settings.motion is Motion.RELATIVE
    aim = normalise(source, driving, initial, relative=relative, relative_jacobian=relative, adapt_scale=relative)
    return enlarged(source, aim, settings.movement)


def enlarged(source: Keypoints, aim: Keypoints, movement: float) -> Keypoints:
    """``movement`` times the way from the portrait's keypoints to others, without folding anything over."""
    value = source.value + movement * (aim.value - source.value)
    jacobian = source.jacobian + movement * (aim.jacobian - source.jacobian)
    own = np.linalg.det(source.jacobian)
    turned = np.linalg.det(jacobian) / np.where(np.abs(own) < 1e-6, 1e-6, own)
    steps = 0
    while (turned < _LEAST_AREA).any() and steps < 20:
        # Step by step back to the portrait's own, for those alone that go too far.
        back = (turned < _LEAST_AREA)[..., None, None]
        jacobian = np.where(back, source.jacobian + 0.8 * (jacobian - source.jacobian), jacobian)
        turned = np.linalg.det(jacobian) / np.where(np.abs(own) < 1e-6, 1e-6, own)
        steps += 1
    return Keypoints(value.astype(np.float32), jacobian.astype(np.float32))


def smoothed(keypoints: Keypoints, sigma: float) -> Keypoints:
    """Keypoints (T, ...) as a gaussian mean over time, sigma in frames; the ends are repeated."""
    if sigma <= 0 or len(keypoints.value) < 2:
        return keypoints
    reach = max(1, round(3 * sigma))
    kernel = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    kernel /= kernel.sum()

    def mean(parts: NDArray[np.float32]) -> NDArray[np.float32]:
        padded = np.concatenate([parts[:1].repeat(reach, 0), parts, parts[-1:].repeat(reach, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
        return np.asarray(windows @ kernel, np.float32)

    return Keypoints(mean(keypoints.value), mean(keypoints.jacobian))


def best_start(portrait: NDArray[np.float32], meshes: Sequence[NDArray[np.float32] | None]) -> int:
    """The frame whose mesh (478, 2) is most like the portrait's, place and size aside; 0 where there is none.

    As the authors choose it: landmarks about their middle, divided by the square root of their hull's area.
    """
    wanted = _normal(portrait)
    found = [float("inf") if mesh is None else float(((_normal(mesh) - wanted) ** 2).sum()) for mesh in meshes]
    return int(np.argmin(found)) if found and np.isfinite(min(found)) else 0


def _normal(mesh: NDArray[np.float32]) -> NDArray[np.float64]:
    points = mesh.astype(np.float64)
    points = points - points.mean(axis=0)
    found: NDArray[np.float64] = points / max(1e-6, float(np.sqrt(hull_area(points))))
    return found
