"""Moving pixels between space and channels, in the channel order of ``depth_to_space``: (i*r + j)*C + c."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("unmask")
class PixelShuffle(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """(N, H, W, r*r*C) -> (N, H*r, W*r, C). Source: Shi et al., sub-pixel convolution, CVPR 2016."""

    def __init__(self, factor: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x: Any) -> Any:
        """Spread groups of channels over r x r pixels."""
        r, (_, height, width, channels) = self.factor, ops.shape(x)
        depth = channels // (r * r)
        x = ops.reshape(x, (-1, height, width, r, r, depth))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height * r, width * r, depth))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (N, H*r, W*r, C) for (N, H, W, r*r*C)."""
        batch, height, width, channels = input_shape
        r = self.factor
        return (batch, height and height * r, width and width * r, channels and channels // (r * r))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable("unmask")
class PixelUnshuffle(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """(N, H*r, W*r, C) -> (N, H, W, r*r*C); height and width must be multiples of r."""

    def __init__(self, factor: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x: Any) -> Any:
        """Gather r x r pixels into channels."""
        r, (_, height, width, channels) = self.factor, ops.shape(x)
        x = ops.reshape(x, (-1, height // r, r, width // r, r, channels))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height // r, width // r, r * r * channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (N, H, W, r*r*C) for (N, H*r, W*r, C)."""
        batch, height, width, channels = input_shape
        r = self.factor
        return (batch, height and height // r, width and width // r, channels and channels * r * r)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "factor": self.factor}


def shuffle_order(factor: int, channels: int) -> np.ndarray[Any, Any]:
    """Return, for each of the r*r*C channels in this module's order, its index in PyTorch's: c*r*r + i*r + j."""
    theirs = np.arange(channels * factor * factor).reshape(channels, factor, factor)
    return theirs.transpose(1, 2, 0).reshape(-1)
