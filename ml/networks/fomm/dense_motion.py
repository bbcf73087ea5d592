"""From sparse keypoints to a flow for every pixel, and to what the source cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from ml.networks.fomm.blocks import hourglass, shrunk
from ml.networks.fomm.geometry import Warp, coordinate_grid, gaussians, inverse_2x2

if TYPE_CHECKING:
    from ml.networks.fomm.blocks import Normalization
    from ml.networks.fomm.motion_config import MotionConfig


def build_dense_motion(config: MotionConfig, normalization: Normalization = layers.BatchNormalization) -> keras.Model:
    """Build [source (N, size, size, 3), p_s (N, K, 2), J_s (N, K, 2, 2), p_d, J_d] -> deformation, occlusion, mask.

    With s the shrunk side: deformation (N, s, s, 2), where each pixel of the driving frame comes from in the source,
    in [-1, 1]; occlusion (N, s, s, 1) in [0, 1], 0 where it must be invented; mask (N, s, s, K + 1), the share of the
    background (first) and of every keypoint's motion. Siarohin et al. 2019, section 3.2; 37,730,268 parameters for
    ``vox-256``.
    """
    side, count = config.inner_size, config.keypoints
    source = keras.Input((config.size, config.size, 3), name="source")
    source_value, driving_value = keras.Input((count, 2)), keras.Input((count, 2))
    source_jacobian, driving_jacobian = keras.Input((count, 2, 2)), keras.Input((count, 2, 2))

    small = ops.cast(shrunk(source, config.shrink), "float32")
    motions = _motions(side, source_value, source_jacobian, driving_value, driving_jacobian)
    drawn = gaussians(driving_value, side, config.variance) - gaussians(source_value, side, config.variance)
    heat = ops.concatenate([ops.zeros_like(drawn[:, :1]), drawn], axis=1)
    warped = Warp(dtype="float32")([small, ops.reshape(motions, (-1, (count + 1) * side, side, 2))])
    warped = ops.reshape(warped, (-1, count + 1, side, side, 3))
    known = ops.concatenate([ops.expand_dims(heat, -1), warped], axis=-1)
    known = ops.reshape(ops.transpose(known, (0, 2, 3, 1, 4)), (-1, side, side, (count + 1) * 4))

    x = hourglass(known, config.motion_features, config.motion_limit, config.levels, "hourglass.", normalization)
    mask = layers.Conv2D(count + 1, 7, padding="same", name="mask")(x)
    occlusion = layers.Conv2D(1, 7, padding="same", name="occlusion")(x)
    # In float32 whatever the layers compute in: the flow is a mean of places.
    mask, occlusion = ops.softmax(ops.cast(mask, "float32"), axis=-1), ops.sigmoid(ops.cast(occlusion, "float32"))
    shares = ops.expand_dims(ops.transpose(mask, (0, 3, 1, 2)), -1)
    deformation = ops.sum(motions * shares, axis=1)
    inputs = [source, source_value, source_jacobian, driving_value, driving_jacobian]
    return keras.Model(inputs, [deformation, occlusion, mask], name="dense_motion")


def _motions(side: int, source_value: Any, source_jacobian: Any, driving_value: Any, driving_jacobian: Any) -> Any:
    """Return (N, K + 1, s, s, 2): T_k(z) = p_s + J_s J_d^-1 (z - p_d) for every pixel z, the identity first."""
    grid = coordinate_grid(side, side)[None, None]
    away = ops.subtract(grid, _for_pixels(driving_value))
    turn = ops.matmul(source_jacobian, inverse_2x2(driving_jacobian))
    x = away[..., 0] * _one(turn, 0, 0) + away[..., 1] * _one(turn, 0, 1)
    y = away[..., 0] * _one(turn, 1, 0) + away[..., 1] * _one(turn, 1, 1)
    moved = ops.stack([x, y], axis=-1) + _for_pixels(source_value)
    still = ops.add(ops.zeros_like(moved[:, :1]), grid)
    return ops.concatenate([still, moved], axis=1)


def _for_pixels(points: Any) -> Any:
    return ops.expand_dims(ops.expand_dims(points, 2), 2)


def _one(matrices: Any, row: int, column: int) -> Any:
    return ops.expand_dims(ops.expand_dims(matrices[:, :, row, column], -1), -1)
