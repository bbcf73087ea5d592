"""The small networks that Unmask trains for upscaling and repair: one plain stack of convolutions each.

Pure Keras: any backend. float32 NHWC RGB in [0, 1]; outputs are not clipped. Both start as what they improve: the
upscaler as bicubic interpolation, the restorer as its own input, so that training spends no step on that.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from ml.networks.pixel_shuffle import PixelShuffle, PixelUnshuffle

LEVELS = ("noise", "jpeg", "blur")
"""What the restorer is told, each from 0 (none) to 1, in the order of its second input's channels."""


def build_compact(*, scale: int, features: int = 32, convs: int = 8, dtype: str = "float32") -> keras.Model:
    """A compact upscaler: (N, H, W, 3) -> (N, H*scale, W*scale, 3).

    Like FSRCNN (Dong et al., ECCV 2016) and SRVGGNetCompact all is computed at the input's size and shuffled to pixels
    at the end. ReLU; what the stack says is added to a 5 x 5 convolution that starts as bicubic interpolation and is
    trained too. ``dtype`` is the stack's compute type; the sum is always float32.
    """
    inputs = keras.Input((None, None, 3))
    x = _stack(inputs, features, convs, 3 * scale * scale, dtype)
    linear = layers.Conv2D(3 * scale * scale, 5, padding="same", name="linear", dtype="float32")
    added = layers.Add(name="sum", dtype="float32")([x, linear(inputs)])
    model = keras.Model(inputs, PixelShuffle(scale, name="shuffle", dtype="float32")(added), name=f"compact_x{scale}")
    linear.set_weights([_bicubic_kernel(scale), np.zeros(3 * scale * scale, np.float32)])
    return model


def build_restorer(*, features: int = 48, blocks: int = 4, dtype: str = "float32") -> keras.Model:
    """A restorer steered by levels: [(N, H, W, 3), (N, 3)] -> (N, H, W, 3); H and W even.

    Like FFDNet (Zhang et al., TIP 2018): 2 x 2 pixels become channels, so that all runs at half the size, and how
    strong the fault is, is an input (``LEVELS``: noise, JPEG, blur), here also for JPEG blocks and blur. Residual
    blocks of two convolutions without BatchNorm, as in EDSR (Lim et al., CVPRW 2017); the result is added to the input.
    ``dtype`` as in :func:`build_compact`.
    """
    small = keras.initializers.VarianceScaling(0.1)  # blocks begin as nearly nothing, and each learns from the start

    def conv(x: Any, filters: int, name: str, **options: Any) -> Any:
        options = {"kernel_initializer": "he_normal", "padding": "same", "dtype": dtype, **options}
        return layers.Conv2D(filters, 3, name=name, **options)(x)

    inputs = keras.Input((None, None, 3))
    levels = keras.Input((len(LEVELS),), name="levels")
    half = PixelUnshuffle(2, name="unshuffle", dtype="float32")(inputs)
    # A map of one value is a convolution's bias that depends on the level; added so, it costs nothing per pixel.
    steer = layers.Dense(features, name="steer", dtype=dtype)(levels)
    x = layers.Add(dtype=dtype)(
        [conv(half, features, "first", use_bias=False), layers.Reshape((1, 1, features), dtype=dtype)(steer)]
    )
    for block in range(blocks):
        inner = conv(x, features, f"block.{block}.conv1")
        inner = layers.LeakyReLU(negative_slope=0.1, dtype=dtype)(inner)
        inner = conv(inner, features, f"block.{block}.conv2", kernel_initializer=small)
        x = layers.Add(dtype=dtype)([x, inner])
    x = layers.LeakyReLU(negative_slope=0.1, dtype=dtype)(x)
    x = conv(x, 12, "last", kernel_initializer=keras.initializers.VarianceScaling(0.01))
    x = PixelShuffle(2, name="shuffle", dtype="float32")(x)
    return keras.Model([inputs, levels], layers.Add(name="sum", dtype="float32")([inputs, x]), name="restorer")


def _stack(x: Any, features: int, convs: int, channels: int, dtype: str) -> Any:
    for index in range(convs + 1):
        x = layers.Conv2D(
            features, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=f"conv.{index}",
            dtype=dtype,
        )(x)  # fmt: skip
    return layers.Conv2D(
        channels, 3, padding="same", kernel_initializer="zeros", name=f"conv.{convs + 1}", dtype=dtype
    )(x)


def _bicubic_kernel(scale: int) -> np.ndarray[Any, Any]:
    """Kernel (5, 5, 3, 3*scale*scale): each place within a pixel from the four nearest pixels a side (Keys, -1/2)."""
    offsets = (np.arange(scale) + 0.5) / scale - 0.5
    x = np.abs(np.arange(-2, 3)[:, None] - offsets)
    taps = np.where(x <= 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0.0))
    kernel = np.einsum("yi,xj,cd->yxcijd", taps, taps, np.eye(3))
    return np.asarray(kernel.reshape(5, 5, 3, 3 * scale * scale), np.float32)
