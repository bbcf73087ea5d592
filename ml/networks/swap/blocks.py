"""What the encoders, intermediate blocks and decoders of the family are built of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from ml.networks.pixel_shuffle import PixelShuffle
from ml.networks.swap.swap_config import Family

if TYPE_CHECKING:
    from ml.networks.swap.swap_config import SwapConfig

SLOPE = 0.1
RESIDUAL_SLOPE = 0.2


def up(x: Any, channels: int, name: str) -> Any:
    """Twice the side: a convolution to 4 x ``channels``, LeakyReLU, and pixel shuffle after it."""
    x = layers.Conv2D(4 * channels, 3, padding="same", name=f"{name}.conv")(x)
    return PixelShuffle(2, name=f"{name}.shuffle")(layers.LeakyReLU(negative_slope=SLOPE)(x))


def residual(x: Any, name: str) -> Any:
    """Two convolutions added to their input, LeakyReLU after each."""
    channels = x.shape[-1]
    inner = layers.Conv2D(channels, 3, padding="same", name=f"{name}.conv1")(x)
    inner = layers.LeakyReLU(negative_slope=RESIDUAL_SLOPE)(inner)
    inner = layers.Conv2D(channels, 3, padding="same", name=f"{name}.conv2")(inner)
    return layers.LeakyReLU(negative_slope=RESIDUAL_SLOPE)(layers.Add()([x, inner]))


def build_encoder(config: SwapConfig) -> keras.Model:
    """Build (N, size, size, 3) in [0, 1] -> (N, size/16 * size/16 * 8 * encoder)."""
    inputs = keras.Input((config.size, config.size, 3))
    x = inputs
    for level in range(4):
        x = layers.Conv2D(config.encoder << level, 5, strides=2, padding="same", name=f"down{level + 1}")(x)
        x = layers.LeakyReLU(negative_slope=SLOPE)(x)
    return keras.Model(inputs, layers.Flatten()(x), name="encoder")


def build_inter(config: SwapConfig, name: str = "inter") -> keras.Model:
    """Build features (N, F) -> (N, 2 * low, 2 * low, code_channels): squeezed to the code, unfolded, enlarged once."""
    features = (config.size // 16) ** 2 * 8 * config.encoder
    inputs = keras.Input((features,))
    code = layers.Dense(config.bottleneck, name="code")(inputs)
    unfolded = 8 * config.encoder if config.family is Family.ORIGINAL else config.code_channels
    x = layers.Dense(config.low**2 * unfolded, name="unfold")(code)
    x = layers.Reshape((config.low, config.low, unfolded))(x)
    return keras.Model(inputs, up(x, config.code_channels, "up"), name=name)


def build_decoder(config: SwapConfig, name: str) -> keras.Model:
    """Build (N, 2 * low, 2 * low, channels) -> face (N, size, size, 3) in [0, 1], and mask (N, size, size, 1).

    The mask is the second output, where the configuration has one.
    """
    channels = config.code_channels * (2 if config.family is Family.LIAE else 1)
    inputs = keras.Input((2 * config.low, 2 * config.low, channels))
    outputs = [_original_face(inputs, config) if config.family is Family.ORIGINAL else _face(inputs, config)]
    if config.mask is not None:
        outputs.append(_mask(inputs, config, config.mask))
    return keras.Model(inputs, outputs, name=name)


def _original_face(x: Any, config: SwapConfig) -> Any:
    for stage, times in enumerate((4, 2, 1), 1):
        x = up(x, times * config.decoder, f"up{stage}")
    return layers.Conv2D(3, 5, padding="same", activation="sigmoid", name="face")(x)


def _face(x: Any, config: SwapConfig) -> Any:
    for stage, times in enumerate((8, 4, 2), 1):
        x = residual(up(x, times * config.decoder, f"up{stage}"), f"res{stage}")
    if not config.doubled:
        return layers.Conv2D(3, 1, activation="sigmoid", name="face")(x)
    # One of the four pixels comes from a 1x1 window, the others from 3x3: so DeepFaceLab's option has it.
    quarters = [layers.Conv2D(3, 3 if i else 1, padding="same", name=f"face{i}")(x) for i in range(4)]
    return layers.Activation("sigmoid", name="face")(PixelShuffle(2)(layers.Concatenate()(quarters)))


def _mask(x: Any, config: SwapConfig, channels: int) -> Any:
    if config.family is Family.ORIGINAL:
        stages: tuple[int, ...] = (4, 2, 1)
    else:
        stages = (8, 4, 2, 1) if config.doubled else (8, 4, 2)
    for stage, times in enumerate(stages, 1):
        x = up(x, times * channels, f"mask.up{stage}")
    kernel = 5 if config.family is Family.ORIGINAL else 1
    return layers.Conv2D(1, kernel, padding="same", activation="sigmoid", name="mask")(x)
