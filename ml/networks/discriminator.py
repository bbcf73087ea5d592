"""What tells enlarged photographs from true ones while an upscaler is trained against it; it is never shipped."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

SLOPE = 0.2


def build_discriminator(*, features: int = 24, doublings: int = 4) -> keras.Model:
    """(N, H, W, 3) RGB in [0, 1], sides multiples of 16 -> logits (N, 1): how true it looks.

    As ESRGAN's (Wang et al., ECCVW 2018): convolutions that halve the size, LeakyReLU; smaller, with spectral
    normalisation (Miyato et al., ICLR 2018) in place of BatchNorm, and a mean at the end, so that any size fits.
    """
    inputs = keras.Input((None, None, 3))
    x: Any = _active(_conv(features, 1)(inputs))
    for index in range(doublings):
        x = _active(_conv(min(features * 2**index, 4 * features), 2)(x))
    x = _active(_conv(4 * features, 1)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(1, dtype="float32")(x), name="discriminator")


def _conv(filters: int, stride: int) -> Any:
    return layers.SpectralNormalization(layers.Conv2D(filters, 3, strides=stride, padding="same"))


def _active(x: Any) -> Any:
    return layers.LeakyReLU(negative_slope=SLOPE)(x)
