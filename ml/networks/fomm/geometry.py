"""Grids, gaussians and bilinear warps, on the coordinates of the paper: [-1, 1], ends on the outer pixel centres."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


def coordinate_grid(height: int, width: int) -> np.ndarray[Any, Any]:
    """Return (height, width, 2) float32: x, y of every pixel in [-1, 1]."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    grid: np.ndarray[Any, Any] = np.stack([x, y], axis=-1).astype(np.float32)
    return grid


def gaussians(points: Any, size: int, variance: float) -> Any:
    """Draw each of (N, K, 2) points as a gaussian of height 1: (N, K, size, size)."""
    away = ops.subtract(coordinate_grid(size, size), ops.expand_dims(ops.expand_dims(points, 2), 2))
    return ops.exp(-0.5 * ops.sum(away * away, axis=-1) / variance)


def inverse_2x2(matrices: Any) -> Any:
    """Invert (..., 2, 2) matrices in closed form (a singular one gives infinities, no error)."""
    a, b = matrices[..., 0, 0], matrices[..., 0, 1]
    c, d = matrices[..., 1, 0], matrices[..., 1, 1]
    adjugate = ops.stack([ops.stack([d, -b], axis=-1), ops.stack([-c, a], axis=-1)], axis=-2)
    return adjugate / ops.expand_dims(ops.expand_dims(a * d - b * c, -1), -1)


@keras.saving.register_keras_serializable("unmask")
class Warp(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """[picture (N, H, W, C), grid (N, h, w, 2)] -> (N, h, w, C): the picture at the grid's places.

    Bilinear; zeros outside; -1 and 1 are the centres of the outer pixels (``align_corners=True`` of PyTorch's
    ``grid_sample``). Places that are not numbers give zeros.
    """

    def call(self, inputs: Any) -> Any:
        """Sample the picture."""
        picture, grid = inputs
        count, height, width, channels = ops.shape(picture)
        _, rows, columns, _ = ops.shape(grid)
        x = (grid[..., 0] + 1) * (0.5 * (width - 1))
        y = (grid[..., 1] + 1) * (0.5 * (height - 1))
        left, top = ops.floor(x), ops.floor(y)
        flat = ops.reshape(picture, (-1, channels))
        first = ops.reshape(ops.arange(count, dtype="int32") * (height * width), (-1, 1, 1))
        answer: Any = 0.0
        for x_corner, x_share in ((left, left + 1 - x), (left + 1, x - left)):
            for y_corner, y_share in ((top, top + 1 - y), (top + 1, y - top)):
                inside = (x_corner >= 0) & (x_corner <= width - 1) & (y_corner >= 0) & (y_corner <= height - 1)
                column = ops.clip(ops.cast(x_corner, "int32"), 0, width - 1)
                row = ops.clip(ops.cast(y_corner, "int32"), 0, height - 1)
                share = ops.where(inside, x_share * y_share, 0.0)
                pixels = ops.take(flat, ops.reshape(first + row * width + column, (-1,)), axis=0)
                answer = answer + ops.reshape(share, (-1, 1)) * pixels
        return ops.reshape(answer, (-1, rows, columns, channels))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return (N, h, w, C)."""
        picture, grid = input_shape
        return (picture[0], grid[1], grid[2], picture[3])


def resize_bilinear(picture: Any, height: int, width: int) -> Any:
    """Resize (N, h, w, C) with half-pixel centres and no anti-aliasing, as PyTorch's ``interpolate`` does."""
    return ops.image.resize(picture, (height, width), interpolation="bilinear", data_format="channels_last")
