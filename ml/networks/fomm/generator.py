"""The picture: the source's features, moved by the flow, dimmed where hidden, and painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from ml.networks.fomm.blocks import BATCH_NORM, conv_norm_relu, down_block, up_block
from ml.networks.fomm.geometry import Warp, resize_bilinear

if TYPE_CHECKING:
    from ml.networks.fomm.blocks import Normalization
    from ml.networks.fomm.motion_config import MotionConfig


def build_generator_encoder(
    config: MotionConfig, normalization: Normalization = layers.BatchNormalization
) -> keras.Model:
    """Build (N, size, size, 3) in [0, 1] -> features (N, f, f, C): once for a source, whatever the number of frames.

    Siarohin et al. 2019, section 3.3 (after Johnson et al. 2016). Encoder and decoder of ``vox-256`` together have
    7,845,123 parameters.
    """
    inputs = keras.Input((config.size, config.size, 3))
    x = conv_norm_relu(inputs, config.generator_features, "first", normalization, kernel=7)
    for level in range(config.generator_levels):
        x = down_block(x, _channels(config, level + 1), f"down_blocks.{level}", normalization)
    return keras.Model(inputs, ops.cast(x, "float32"), name="generator_encoder")


def build_generator_decoder(
    config: MotionConfig, normalization: Normalization = layers.BatchNormalization
) -> keras.Model:
    """Build [features (N, f, f, C), deformation (N, s, s, 2), occlusion (N, s, s, 1)] -> picture (N, size, size, 3).

    The picture is in [0, 1]. Flow and occlusion are resized to the features when their sides differ. With
    ``config.keeps_source`` there is a fourth input, the source (N, size, size, 3): the picture is then a mixture, pixel
    by pixel, of the source where the flow takes it and of what is painted, as in the authors' later generator
    (Siarohin et al., Motion Representations for Articulated Animation, CVPR 2021); a layer of its own draws the shares.
    """
    side, inner = config.size // 2**config.generator_levels, config.inner_size
    channels = _channels(config, config.generator_levels)
    features = keras.Input((side, side, channels))
    deformation, occlusion = keras.Input((inner, inner, 2)), keras.Input((inner, inner, 1))
    inputs = [features, deformation, occlusion]
    flow, visible = deformation, occlusion
    if side != inner:
        flow, visible = resize_bilinear(flow, side, side), resize_bilinear(visible, side, side)
    x = Warp(dtype="float32")([features, flow]) * visible
    for block in range(config.generator_blocks):
        x = _residual(x, channels, f"bottleneck.r{block}", normalization)
    for index, level in enumerate(reversed(range(config.generator_levels))):
        x = up_block(x, _channels(config, level), f"up_blocks.{index}", normalization)
    picture = layers.Conv2D(3, 7, padding="same", name="final")(x)
    picture = ops.sigmoid(ops.cast(picture, "float32"))
    if config.keeps_source:
        source = keras.Input((config.size, config.size, 3))
        inputs.append(source)
        # At first three quarters are the source's own pixels.
        share = layers.Conv2D(1, 7, padding="same", bias_initializer=keras.initializers.Constant(-1.0), name="share")(x)
        share = ops.sigmoid(ops.cast(share, "float32"))
        full = flow if side == config.size else resize_bilinear(deformation, config.size, config.size)
        picture = share * picture + (1 - share) * Warp(dtype="float32")([source, full])
    return keras.Model(inputs, picture, name="generator_decoder")


def _channels(config: MotionConfig, level: int) -> int:
    return min(config.generator_limit, config.generator_features << level)


def _residual(x: Any, channels: int, name: str, normalization: Normalization) -> Any:
    inner = x
    for index in (1, 2):
        inner = layers.ReLU()(normalization(**BATCH_NORM, name=f"{name}.norm{index}")(inner))
        inner = layers.Conv2D(channels, 3, padding="same", name=f"{name}.conv{index}")(inner)
    return layers.Add()([x, inner])
