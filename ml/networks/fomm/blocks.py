"""What the three networks of the motion model are built of; layers carry the names of the authors' checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

if TYPE_CHECKING:
    from collections.abc import Callable

    Normalization = Callable[..., layers.Layer]

BATCH_NORM = {"epsilon": 1e-5, "momentum": 0.9}


def conv_norm_relu(x: Any, filters: int, name: str, normalization: Normalization, *, kernel: int = 3) -> Any:
    """Convolution, BatchNorm (what ``normalization`` makes), ReLU at the same size."""
    x = layers.Conv2D(filters, kernel, padding="same", name=f"{name}.conv")(x)
    return layers.ReLU()(normalization(**BATCH_NORM, name=f"{name}.norm")(x))


def down_block(x: Any, filters: int, name: str, normalization: Normalization) -> Any:
    """conv_norm_relu, then the mean of 2x2 pixels."""
    return layers.AveragePooling2D(2)(conv_norm_relu(x, filters, name, normalization))


def up_block(x: Any, filters: int, name: str, normalization: Normalization) -> Any:
    """Each pixel repeated 2x2, then conv_norm_relu."""
    return conv_norm_relu(layers.UpSampling2D(2, interpolation="nearest")(x), filters, name, normalization)


def hourglass(x: Any, features: int, limit: int, levels: int, name: str, normalization: Normalization) -> Any:
    """A U-Net: ``levels`` halvings to at most ``limit`` channels and back; ends with features + (channels of x)."""
    skips = [x]
    for level in range(levels):
        filters = min(limit, features * 2 ** (level + 1))
        skips.append(down_block(skips[-1], filters, f"{name}encoder.down_blocks.{level}", normalization))
    x = skips.pop()
    for index, level in enumerate(reversed(range(levels))):
        x = up_block(x, min(limit, features * 2**level), f"{name}decoder.up_blocks.{index}", normalization)
        x = layers.Concatenate(axis=-1)([x, skips.pop()])
    return x


def shrunk(x: Any, factor: int, name: str = "down") -> Any:
    """Blur by a gaussian of sigma (factor - 1) / 2, zeros outside, and keep every ``factor``-th pixel."""
    if factor == 1:
        return x
    kernel = gaussian_kernel(factor)
    layer = layers.DepthwiseConv2D(
        len(kernel),
        strides=factor,
        use_bias=False,
        depthwise_initializer=_Kernel(factor),
        trainable=False,
        name=name,
    )
    return layer(layers.ZeroPadding2D(len(kernel) // 2)(x))


def gaussian_kernel(factor: int) -> np.ndarray[Any, Any]:
    """Return the blur before shrinking ``factor`` times: square, odd, four sigmas to each side, sum 1."""
    sigma = (factor - 1) / 2
    reach = round(sigma * 4)
    line = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    square = np.outer(line, line)
    kernel: np.ndarray[Any, Any] = (square / square.sum()).astype(np.float32)
    return kernel


@keras.saving.register_keras_serializable("unmask")
class _Kernel(keras.initializers.Initializer):  # type: ignore[misc]  # Keras has no types
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
        return keras.ops.broadcast_to(gaussian_kernel(self.factor)[:, :, None, None], shape)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}
