"""Where the moving parts of a picture are: the keypoint detector of the First Order Motion Model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from ml.networks.fomm.blocks import hourglass, shrunk
from ml.networks.fomm.geometry import coordinate_grid

if TYPE_CHECKING:
    from ml.networks.fomm.blocks import Normalization
    from ml.networks.fomm.motion_config import MotionConfig


def build_keypoint_detector(
    config: MotionConfig, normalization: Normalization = layers.BatchNormalization
) -> keras.Model:
    """Build (N, size, size, 3) in [0, 1] -> [value (N, K, 2) in [-1, 1], jacobian (N, K, 2, 2)].

    Soft-argmax over heatmaps that a U-Net draws of the shrunk picture; the jacobian is the heatmap-weighted mean of a
    second map, and starts as the identity. Siarohin et al. 2019, section 3.1; 14,215,368 parameters for ``vox-256``.
    """
    inputs = keras.Input((config.size, config.size, 3))
    x = shrunk(inputs, config.shrink)
    x = hourglass(x, config.keypoint_features, config.keypoint_limit, config.levels, "predictor.", normalization)
    # In float32 whatever the layers compute in: a place is known to a fraction of a pixel.
    logits = ops.cast(layers.Conv2D(config.keypoints, 7, name="kp")(x), "float32")
    side = config.inner_size - 6  # a 7x7 window without padding
    logits = ops.reshape(logits, (-1, side * side, config.keypoints))
    heat = ops.softmax(logits / config.temperature, axis=1)
    grid = coordinate_grid(side, side).reshape(side * side, 2)
    value = ops.matmul(ops.transpose(heat, (0, 2, 1)), grid)
    maps = layers.Conv2D(
        4 * config.keypoints,
        7,
        kernel_initializer="zeros",
        bias_initializer=_identities,
        name="jacobian",
    )(x)
    maps = ops.reshape(ops.cast(maps, "float32"), (-1, side * side, config.keypoints, 4))
    jacobian = ops.sum(ops.expand_dims(heat, -1) * maps, axis=1)
    jacobian = ops.reshape(jacobian, (-1, config.keypoints, 2, 2))
    return keras.Model(inputs, [value, jacobian], name="keypoint_detector")


@keras.saving.register_keras_serializable("unmask")  # type: ignore[untyped-decorator]  # Keras has no types
def _identities(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    return ops.tile(ops.convert_to_tensor([1.0, 0.0, 0.0, 1.0], dtype), (shape[0] // 4,))
