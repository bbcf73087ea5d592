"""A slim network that restores faces with dictionaries of eyes, noses and mouths, after DFDNet (Li et al., ECCV 2020).

Pure Keras: any backend. As in DFDNet, a frozen encoder sees the face at several scales; at each, the four parts are cut
out of its features, the dictionary's entry that is most like them is given their statistics, and an attention says how
much of it to take; a decoder is steered by the bettered features (spatial feature transform). Smaller throughout: 128
px, three scales, an encoder of its own, and it says what to add to the picture, not the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ml.networks.dfdnet.component_dictionary import EPSILON, ComponentDictionary
from ml.networks.dfdnet.dfdnet_config import PARTS
from ml.networks.pixel_shuffle import PixelShuffle, PixelUnshuffle

SLOPE = 0.2
STRIDES = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class FaceRestorerConfig:
    """side: of the faces, a multiple of 8. widths: channels at strides 2, 4, 8. entries: of a dictionary; 0 for none.

    part_sides: of eyes, nose and mouth in the picture, in the order of ``PARTS``; multiples of 8.
    """

    side: int = 128
    widths: tuple[int, int, int] = (32, 64, 96)
    entries: int = 32
    part_sides: tuple[int, int, int, int] = (24, 24, 24, 40)


@keras.saving.register_keras_serializable("unmask")
class Dictionary(ComponentDictionary):
    """A dictionary that is asked for many faces at once."""

    def call(self, crop: Any) -> Any:
        """(N, side, side, C) -> for each the entry most like it, with its means and deviations."""
        mean = ops.mean(crop, axis=(1, 2), keepdims=True)
        spread = ops.sum(ops.square(crop - mean), axis=(1, 2), keepdims=True) / max(self.side * self.side - 1, 1)
        deviation = ops.sqrt(spread + EPSILON)
        size = self.side * self.side * self.channels
        weighed = ops.reshape((crop - mean) * deviation, (-1, size))
        likeness = ops.matmul(weighed, ops.transpose(ops.reshape(self.entries, (self.count, size))))
        return ops.take(self.entries, ops.argmax(likeness, axis=-1), axis=0) * deviation + mean

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As the crop."""
        return shape


@keras.saving.register_keras_serializable("unmask")
class Window(layers.Layer):  # type: ignore[misc]
    """Which rows and columns of a feature map a part takes, as two matrices; places between pixels are interpolated."""

    def __init__(self, side: int, extent: int, stride: int, part: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side, self.extent, self.stride, self.part = side, extent, stride, part

    def call(self, centres: Any) -> tuple[Any, Any]:
        """Centres (N, 4, 2), x and y in pixels of the picture -> rows and columns, both (N, side, extent)."""
        # Pixel i of the picture has its middle at i; that of cell k of the features is at (k + .5) * stride - .5.
        middle = (centres[:, self.part] + 0.5) / self.stride - 0.5
        wanted = ops.expand_dims(middle, -1) + (np.arange(self.side, dtype=np.float32) - (self.side - 1) / 2)
        there = np.arange(self.extent, dtype=np.float32)
        weight = ops.maximum(0.0, 1.0 - ops.abs(ops.expand_dims(wanted, -1) - there))  # (N, 2, side, extent)
        return weight[:, 1], weight[:, 0]

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[tuple[int | None, ...], ...]:
        """Two matrices a face."""
        return ((shape[0], self.side, self.extent), (shape[0], self.side, self.extent))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        own = {"side": self.side, "extent": self.extent, "stride": self.stride, "part": self.part}
        return {**super().get_config(), **own}


def build_face_restorer(config: FaceRestorerConfig = FaceRestorerConfig(), *, dtype: str = "float32") -> keras.Model:
    """[(N, side, side, 3) RGB in [0, 1], centres (N, 4, 2) in pixels] -> (N, side, side, 3), not clipped.

    centres: x and y of the middle of each part, in the order of ``PARTS``. With no entries the parts' features are left
    as they are, and the centres change nothing. ``dtype`` is the convolutions' compute type.
    """
    inputs = keras.Input((config.side, config.side, 3))
    centres = keras.Input((len(PARTS), 2), name="centres")
    build = _Builder(dtype)
    taps = keras.Model(inputs, build.encoded(inputs, config), name="encoder")(inputs)
    x = taps[-1]
    for index in reversed(range(len(STRIDES))):
        width = config.widths[index]
        steer = _bettered(build, taps[index], centres, index, config) if config.entries else taps[index]
        if index < len(STRIDES) - 1:
            x = layers.UpSampling2D(2, interpolation="bilinear", dtype=dtype)(x)
            x = build.leaky(build.conv(x, width, f"up.{index}"))
        for block in range(2 if index == len(STRIDES) - 1 else 1):
            x = build.block(x, width, f"decode.{index}.{block}")
        x = build.transformed(x, steer, width, f"steer.{index}")
    x = build.block(x, config.widths[0], "decode.last")
    x = build.conv(build.leaky(x), 12, "last", kernel_initializer="zeros")  # it begins as the picture itself
    x = PixelShuffle(2, name="shuffle", dtype="float32")(x)
    return keras.Model([inputs, centres], layers.Add(name="sum", dtype="float32")([inputs, x]), name="face_restorer")


def _bettered(build: _Builder, tap: Any, centres: Any, index: int, config: FaceRestorerConfig) -> Any:
    """The features with the best entries in them: attention(entry - crop) * entry is added where each part lies."""
    stride, width = STRIDES[index], config.widths[index]
    features = layers.Activation("linear", dtype="float32")(tap)
    added = []
    for part, name in enumerate(PARTS):
        side = config.part_sides[part] // stride
        rows, columns = Window(side, config.side // stride, stride, part, name=f"window.{index}.{name}")(centres)
        crop = ops.einsum("nih,nhwc,njw->nijc", rows, features, columns)
        entry = Dictionary(config.entries, side, width, name=dictionary_name(index, name), dtype="float32")(crop)
        taken = build.attention(entry - crop, width, f"attention.{index}.{name}") * entry
        added.append(ops.einsum("nih,nijc,njw->nhwc", rows, taken, columns))
    return layers.Add(dtype="float32")([features, *added])


def dictionary_name(index: int, part: str) -> str:
    """The layer of a part's dictionary at the scale ``STRIDES[index]``."""
    return f"dictionary.{index}.{part}"


class _Builder:
    """Layers of one compute type."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def conv(self, x: Any, filters: int, name: str, **options: Any) -> Any:
        options = {"padding": "same", "kernel_initializer": "he_normal", **options}
        return layers.Conv2D(filters, 3, name=name, dtype=self.dtype, **options)(x)

    def leaky(self, x: Any) -> Any:
        return layers.LeakyReLU(negative_slope=SLOPE, dtype=self.dtype)(x)

    def block(self, x: Any, width: int, name: str) -> Any:
        inner = self.leaky(self.conv(x, width, f"{name}.conv1"))
        inner = self.conv(inner, width, f"{name}.conv2", kernel_initializer=keras.initializers.VarianceScaling(0.1))
        return layers.Add(dtype=self.dtype)([x, inner])

    def encoded(self, inputs: Any, config: FaceRestorerConfig) -> list[Any]:
        """The features at the three strides, finest first."""
        x = PixelUnshuffle(2, name="unshuffle", dtype="float32")(inputs)
        x = self.leaky(self.conv(x, config.widths[0], "encode.first"))
        taps = []
        for index, width in enumerate(config.widths):
            if index:
                x = self.leaky(self.conv(x, width, f"encode.{index}.down", strides=2))
            for block in range(index + 1):
                x = self.block(x, width, f"encode.{index}.{block}")
            taps.append(x)
        return taps

    def transformed(self, x: Any, steer: Any, width: int, name: str) -> Any:
        """Scale and shift x by what the features say; it begins as x and the features in one."""
        steer = self.leaky(layers.Activation("linear", dtype=self.dtype)(steer))
        small = keras.initializers.VarianceScaling(0.1)
        scale = layers.Activation("tanh", dtype=self.dtype)(
            self.conv(steer, width, f"{name}.scale", kernel_initializer=small)
        )
        return x * (scale + 1) + self.conv(steer, width, f"{name}.shift")

    def attention(self, x: Any, width: int, name: str) -> Any:
        """How much of an entry to take: none of it, before training."""
        inner = self.leaky(self.conv(x, width, f"{name}.conv1"))
        made = self.conv(inner, width, f"{name}.conv2", kernel_initializer="zeros")
        return layers.Activation("linear", dtype="float32")(made)
