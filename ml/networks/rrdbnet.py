"""RRDBNet, the generator of ESRGAN (Wang et al., ECCVW 2018) and Real-ESRGAN (Wang et al., ICCVW 2021).

Pure Keras: any backend. float32 (N, H, W, 3) RGB in [0, 1], NHWC; the output is not clipped. Layers carry the names
of the authors' later checkpoints (``body.0.rdb1.conv1``).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from ml.networks.compact import build_compact
from ml.networks.pixel_shuffle import PixelUnshuffle

SLOPE = 0.2
RESIDUAL_SCALE = 0.2


def build_rrdbnet(
    *, scale: int = 4, features: int = 64, blocks: int = 23, growth: int = 32, unshuffle: int | None = None
) -> keras.Model:
    """RRDBNet: a trunk of residual-in-residual dense blocks without BatchNorm, then nearest-neighbour upsampling.

    Returns a model (N, H, W, 3) -> (N, H*scale, W*scale, 3). ``unshuffle`` folds r x r pixels into channels first;
    left out it is 2 for scale 2 and 4 for scale 1, as in Real-ESRGAN (H and W must be multiples of it), else 1.
    ESRGAN's 23 blocks of 64 features have 16,697,987 parameters; figure 4 of the paper. Raises ValueError for a scale
    that is no power of 2.
    """
    if unshuffle is None:
        unshuffle = {1: 4, 2: 2}.get(scale, 1)
    doublings = (scale * unshuffle).bit_length() - 1
    if scale < 1 or 2**doublings != scale * unshuffle:
        raise ValueError(f"the scale must be a power of two, not {scale}")
    inputs = keras.Input((None, None, 3))
    x = PixelUnshuffle(unshuffle, name="unshuffle")(inputs) if unshuffle > 1 else inputs
    first = _conv(x, features, "conv_first")
    x = first
    for block in range(blocks):
        x = _rrdb(x, features, growth, f"body.{block}")
    x = layers.Add(name="trunk")([first, _conv(x, features, "conv_body")])
    for index in range(1, doublings + 1):
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"up{index}")(x)
        x = _active(_conv(x, features, f"conv_up{index}"))
    x = _active(_conv(x, features, "conv_hr"))
    return keras.Model(inputs, _conv(x, 3, "conv_last"), name=f"rrdbnet_x{scale}")


def build_slim_rrdb(
    *, scale: int = 4, features: int = 32, blocks: int = 4, growth: int = 16, dtype: str = "float32"
) -> keras.Model:
    """A small RRDBNet whose answer is added to a compact upscaler's: (N, H, W, 3) -> (N, H*scale, W*scale, 3).

    It begins as bicubic interpolation, or, once its layer "base" has the compact upscaler's weights, as that, so that
    a short training spends no step on what is known. ``dtype`` is the trunk's compute type; the sum is always float32.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        trunk = build_rrdbnet(scale=scale, features=features, blocks=blocks, growth=growth, unshuffle=1)
    finally:
        keras.config.set_dtype_policy(before)
    last = trunk.get_layer("conv_last")
    last.set_weights([np.zeros_like(value) for value in last.get_weights()])
    compact = build_compact(scale=scale)
    base = keras.Model(compact.input, compact.output, name="base")
    inputs = keras.Input((None, None, 3))
    made = layers.Add(name="sum", dtype="float32")([trunk(inputs), base(inputs)])
    return keras.Model(inputs, made, name=f"slim_rrdb_x{scale}")


def _rrdb(x: Any, features: int, growth: int, name: str) -> Any:
    inner = x
    for index in (1, 2, 3):
        inner = _dense_block(inner, features, growth, f"{name}.rdb{index}")
    return x + inner * RESIDUAL_SCALE


def _dense_block(x: Any, features: int, growth: int, name: str) -> Any:
    known = [x]
    for index in range(1, 5):
        joined = layers.Concatenate(axis=-1)(known) if len(known) > 1 else x
        known.append(_active(_conv(joined, growth, f"{name}.conv{index}")))
    return x + _conv(layers.Concatenate(axis=-1)(known), features, f"{name}.conv5") * RESIDUAL_SCALE


def _conv(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(filters, 3, padding="same", name=name)(x)


def _active(x: Any) -> Any:
    return layers.LeakyReLU(negative_slope=SLOPE)(x)
