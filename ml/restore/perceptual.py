"""How different two pictures look: the distance of what a network sees in them, after LPIPS (Zhang et al., CVPR 2018).

The network is this project's own restorer, told of no fault: its blocks see edges and texture at half the picture's
size. It was never fitted to what people say, so it is like LPIPS in form alone, and its numbers are not LPIPS's.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

_SIDE = 512
_EPSILON = 1e-6


@cache
def features() -> keras.Model:
    """float32 (N, H, W, 3) in [0, 1], H and W even -> the feature maps after every block. Raises WeightsError."""
    import keras

    from ml.restore import shipped

    network = shipped.load("restorer")
    network.trainable = False
    steered = network.get_layer("steer")
    picture = keras.Input((None, None, 3))
    half = network.get_layer("unshuffle")(picture)
    x = network.get_layer("first")(half) + keras.ops.reshape(steered.bias, (1, 1, 1, -1))
    found = [x]
    for block in range(shipped.SHAPES["restorer"]["blocks"]):
        inner = keras.ops.leaky_relu(network.get_layer(f"block.{block}.conv1")(x), 0.1)
        x = x + network.get_layer(f"block.{block}.conv2")(inner)
        found.append(x)
    return keras.Model(picture, found, name="perceptual")


def difference(one: Any, other: Any) -> Any:
    """The distance of two batches of pictures (N, H, W, 3) in [0, 1] as a tensor (N,); it has gradients."""
    from keras import ops

    total = 0.0
    for a, b in zip(features()(one), features()(other), strict=True):
        a = a / (ops.sqrt(ops.sum(a * a, axis=-1, keepdims=True)) + _EPSILON)
        b = b / (ops.sqrt(ops.sum(b * b, axis=-1, keepdims=True)) + _EPSILON)
        total = total + ops.mean(ops.sum(ops.square(a - b), axis=-1), axis=(1, 2))
    return total / len(features().outputs)


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float | None:
    """The distance of uint8 (H, W, 3): 0 for the same, about 1 for unrelated ones.

    Large pictures are compared in a square of 512 px at their middle; None for pictures under 8 px a side.
    """
    if min(one.shape[:2]) < 8:
        return None
    y, x = (max(0, (extent - _SIDE) // 2) for extent in one.shape[:2])
    height, width = (min(_SIDE, extent) // 2 * 2 for extent in one.shape[:2])
    a, b = (
        np.ascontiguousarray(each[y : y + height, x : x + width])[None].astype(np.float32) / 255
        for each in (one, other)
    )
    return float(np.asarray(difference(a, b))[0])
