"""The losses of the First Order Motion Model (Siarohin et al., NeurIPS 2019, section 3.3), in Keras operations.

Pictures are (N, S, S, 3) in [0, 1]. The paper compares pictures by VGG-19; those weights cannot be had here, so the
features are those of this project's boundary detector, beside plain L1 and SSIM at the same four scales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from ml.networks.fomm.geometry import Warp, coordinate_grid, inverse_2x2
from ml.swap.losses import dssim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SCALES = 4
"""Pictures are compared at 1, 1/2, 1/4 and 1/8 of their size."""

_TINY = 1e-6
_CONTROL = 5  # control points a side of the thin-plate spline
_AFFINE_SIGMA, _SPLINE_SIGMA = 0.05, 0.005


def pyramid_l1(made: Any, wanted: Any, weight: Any) -> Any:
    """Mean absolute difference over four scales, each pixel counting as its weight (N, S, S, 1) says: a scalar."""
    total = 0.0
    for _ in range(SCALES):
        total = total + ops.sum(ops.mean(ops.abs(made - wanted), axis=-1, keepdims=True) * weight) / ops.sum(weight)
        made, wanted, weight = (ops.average_pool(part, 2) for part in (made, wanted, weight))
    return total / SCALES


def structure(made: Any, wanted: Any, weight: Any) -> Any:
    """(1 - SSIM) / 2 at full and at half size, averaged."""
    half = [ops.average_pool(part, 2) for part in (made, wanted, weight)]
    return (dssim(made, wanted, weight) + dssim(*half)) / 2


class Perception:
    """How far two pictures are in the features of a fixed network, at full and at half size.

    features: model (N, S, S, 3) -> list of maps, finest first. scales: for each map what its mean difference is divided
    by, or None for 1.
    """

    def __init__(self, features: Any, scales: Sequence[float] | None = None) -> None:
        self.features = features
        features.trainable = False
        self.scales = scales

    def __call__(self, made: Any, wanted: Any) -> Any:
        """Mean absolute difference of the maps: a scalar."""
        total, count = 0.0, 0
        for _ in range(2):
            mine, theirs = self.features(made, training=False), self.features(wanted, training=False)
            for index, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                difference = ops.mean(ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32")))
                total = total + difference / (self.scales[index] if self.scales is not None else 1.0)
                count += 1
            made, wanted = ops.average_pool(made, 2), ops.average_pool(wanted, 2)
        return total / count


class RandomTransform:
    """Random warps T of N pictures: affine noise and a thin-plate spline over 5 x 5 places, as the authors draw them.

    A warped picture shows at z what the picture has at T(z), so keypoints p of it lie at T(p) in the picture.
    """

    def __init__(self, random: np.random.Generator, count: int) -> None:
        noise = random.normal(0, _AFFINE_SIGMA, (count, 2, 3))
        self.theta: Any = (noise + np.eye(2, 3)).astype(np.float32)
        self.weights: Any = random.normal(0, _SPLINE_SIGMA, (count, 1, _CONTROL**2)).astype(np.float32)

    @classmethod
    def of(cls, theta: Any, weights: Any) -> RandomTransform:
        """The warp of these parameters: (N, 2, 3) and (N, 1, 25)."""
        made = cls.__new__(cls)
        made.theta, made.weights = theta, weights
        return made

    def picture(self, pictures: Any) -> Any:
        """The pictures, warped."""
        side = int(pictures.shape[1])
        grid = ops.reshape(coordinate_grid(side, side), (1, side * side, 2))
        grid = ops.broadcast_to(grid, (ops.shape(pictures)[0], side * side, 2))
        return Warp(dtype="float32")([pictures, ops.reshape(self.points(grid), (-1, side, side, 2))])

    def points(self, points: Any) -> Any:
        """T of points (N, P, 2)."""
        straight = ops.matmul(points, ops.transpose(self.theta[:, :, :2], (0, 2, 1))) + self.theta[:, None, :, 2]
        _, distance = self._away(points)
        bent = ops.sum(distance * distance * ops.log(distance + _TINY) * self.weights, axis=-1, keepdims=True)
        return straight + bent

    def jacobians(self, points: Any) -> Any:
        """The derivative of T at points (N, P, 2): (N, P, 2, 2)."""
        away, distance = self._away(points)
        slope = 2 * distance * ops.log(distance + _TINY) + distance * distance / (distance + _TINY)
        gradient = ops.sum(ops.expand_dims(slope * self.weights, -1) * ops.sign(away), axis=2)  # of one bend for both
        return self.theta[:, None, :, :2] + ops.expand_dims(gradient, 2)

    @staticmethod
    def _away(points: Any) -> tuple[Any, Any]:
        """From every control point to every point, (N, P, 25, 2), and the length as the sum of both parts."""
        controls: NDArray[np.float32] = coordinate_grid(_CONTROL, _CONTROL).reshape(1, 1, -1, 2)
        away = ops.expand_dims(points, 2) - controls
        return away, ops.sum(ops.abs(away), axis=-1)


def equivariance(value: Any, jacobian: Any, warped_value: Any, warped_jacobian: Any, warp: Any) -> tuple[Any, Any]:
    """How far the keypoints of a warped picture are from where the warp takes them; of places and of jacobians.

    value (N, K, 2) and jacobian (N, K, 2, 2) of the picture, and those of the same picture warped. Equations 10 and 11:
    mean |p - T(p')| and mean |1 - J^-1 T'(p') J'|.
    """
    places = ops.mean(ops.abs(value - warp.points(warped_value)))
    turned = ops.matmul(warp.jacobians(warped_value), warped_jacobian)
    missed = ops.subtract(np.eye(2, dtype=np.float32), ops.matmul(inverse_2x2(jacobian), turned))
    return places, ops.mean(ops.abs(missed))


def supervised(value: Any, jacobian: Any, wanted_value: Any, wanted_jacobian: Any) -> tuple[Any, Any]:
    """Mean absolute difference to given keypoints, of places and of jacobians."""
    return ops.mean(ops.abs(value - wanted_value)), ops.mean(ops.abs(jacobian - wanted_jacobian))
