"""From features, bettered by the dictionary, back to a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from ml.networks.dfdnet.dfdnet_config import DFDNetConfig

DILATIONS = (4, 3, 2, 1)
SLOPE = 0.2
# The authors' blocks apply a LeakyReLU of .2 twice in a row here.
SLOPE_TWICE = 0.04


def build_decoder(config: DFDNetConfig) -> keras.Model:
    """Build [conv5_4, then the bettered features, largest side first] -> (N, size, size, 3) in [-1, 1].

    Multi-scale dilation, four upsampling blocks that the bettered features scale and shift (spatial feature
    transform), two residual blocks. Li et al. 2020, section 3.3 and figure 2b.
    """
    deepest = keras.Input((config.scales[-1], config.scales[-1], config.channels(config.scales[-1])))
    bettered = [keras.Input((scale, scale, config.channels(scale))) for scale in config.scales]
    x = _dilated(deepest)
    for index, features in enumerate(reversed(bettered)):
        width = config.features * (8, 4, 2, 1)[index]
        x = _up(x, features, width, f"upsample{index}")
    x = _leaky(_conv(x, config.features, "upsample4.0"))
    for index in (2, 3):
        inner = _leaky(_conv(x, config.features, f"upsample4.{index}.body.0"))
        x = layers.Add()([x, _conv(inner, config.features, f"upsample4.{index}.body.2")])
    picture = ops.tanh(_conv(x, 3, "upsample4.4"))
    return keras.Model([deepest, *bettered], picture, name="decoder")


def build_attention(channels: int, name: str) -> keras.Model:
    """Build (N, h, w, C) difference of entry and crop -> (N, h, w, C): how much of the entry to take."""
    inputs = keras.Input((None, None, channels))
    inner = _leaky(_conv(inputs, channels, f"{name}.0"))
    return keras.Model(inputs, _conv(inner, channels, f"{name}.2"), name=name)


def _dilated(x: Any) -> Any:
    channels = x.shape[-1]
    branches = []
    for index, dilation in enumerate(DILATIONS):
        name = f"multi_scale_dilation.conv_blocks.{index}"
        inner = _leaky(_conv(x, channels, f"{name}.0", dilation))
        branches.append(_conv(inner, channels, f"{name}.2", dilation))
    joined = _conv(layers.Concatenate(axis=-1)(branches), channels, "multi_scale_dilation.conv_fusion")
    return layers.Add()([joined, x])


def _up(x: Any, features: Any, width: int, name: str) -> Any:
    x = _conv(_blurred(x), width, f"{name}.conv1.1")
    x = layers.LeakyReLU(negative_slope=SLOPE_TWICE)(x)
    scale = _conv(_leaky(_conv(features, width, f"{name}.scale_block.0")), width, f"{name}.scale_block.2")
    shift = _conv(_leaky(_conv(features, width, f"{name}.shift_block.0")), width, f"{name}.shift_block.2")
    x = x * scale + ops.sigmoid(shift)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    return _leaky(_conv(x, width, f"{name}.convup.1"))


def _blurred(x: Any) -> Any:
    """Weigh 3x3 pixels by [1, 2, 1] x [1, 2, 1] / 16, zeros outside: the mean of 2x2, twice."""
    x = layers.ZeroPadding2D(1)(x)
    return layers.AveragePooling2D(2, strides=1)(layers.AveragePooling2D(2, strides=1)(x))


def _conv(x: Any, filters: int, name: str, dilation: int = 1) -> Any:
    return layers.Conv2D(filters, 3, padding="same", dilation_rate=dilation, name=name)(x)


def _leaky(x: Any) -> Any:
    return layers.LeakyReLU(negative_slope=SLOPE)(x)
