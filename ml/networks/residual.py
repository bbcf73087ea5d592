"""A small residual trunk for traces in faces (after He et al., Deep Residual Learning, CVPR 2016).

Pure Keras: any backend. The picture is not shrunk by a first strided convolution: its pixels are folded 2 x 2 into
channels, so that the finest traces (noise, seams, the grid of an upsampling layer) reach the first filters whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import layers

from ml.networks.pixel_shuffle import PixelUnshuffle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Normalization = Callable[[], layers.Layer]

WIDTHS = (32, 64, 96, 160)
BLOCKS = (1, 2, 2, 1)


def trunk(
    inputs: Any, normalization: Normalization, widths: Sequence[int] = WIDTHS, blocks: Sequence[int] = BLOCKS
) -> list[Any]:
    """The feature maps after every stage, finest first: strides 2, 4, 8, 16 of the input, ``widths`` channels.

    inputs: (N, S, S, 3) in [0, 1], S a multiple of 16. normalization makes the layers that normalise.
    """
    x = PixelUnshuffle(2)(inputs)
    x = _active(normalization()(layers.Conv2D(widths[0], 3, padding="same", use_bias=False)(x)))
    stages = []
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for index in range(count):
            x = _block(x, width, 2 if stage and not index else 1, normalization)
        stages.append(x)
    return stages


def pooled(stages: Sequence[Any]) -> Any:
    """What the stages saw anywhere and on the whole: means of the last two, maxima of the last, side by side."""
    return layers.Concatenate(axis=-1)(
        [
            layers.GlobalAveragePooling2D()(stages[-2]),
            layers.GlobalAveragePooling2D()(stages[-1]),
            layers.GlobalMaxPooling2D()(stages[-1]),
        ]
    )


def _block(x: Any, width: int, stride: int, normalization: Normalization) -> Any:
    y = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(x)
    y = _active(normalization()(y))
    y = normalization()(layers.Conv2D(width, 3, padding="same", use_bias=False)(y))
    if stride > 1 or x.shape[-1] != width:
        if stride > 1:
            x = layers.AveragePooling2D(stride)(x)
        x = normalization()(layers.Conv2D(width, 1, use_bias=False)(x))
    return _active(layers.Add()([x, y]))


def _active(x: Any) -> Any:
    return layers.Activation("relu")(x)
