"""Training on quarters of faces: four times as many faces in the same time, at the network's own scale.

Each cell of the 8 x 8 map that MesoNet's dense layers read stands for 32 x 32 px. A patch is 128 x 128 px, cut on cell
borders; the convolutions run on it, and its 4 x 4 cells go where they belong in an empty map, as dropout of the rest.
What the convolutions learn is what whole faces need; the last part of a run sees whole faces, so that the dense layers
learn to read all cells together. A quarter also tells less about who it is, which few identities would let them learn.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

CELLS = 8
PATCH_CELLS = 4
_CELL = 32


class Placed(keras.layers.Layer):  # type: ignore[misc]
    """Hands an 8 x 8 map on as it is, or puts a 4 x 4 one into zeros at the cells that were last named. No weights."""

    def __init__(self) -> None:
        super().__init__(name="placed")
        self._cells: Any = None

    def at(self, cells: Any) -> None:
        """Name the row and column (int32 tensor (2,)) of the next maps' first cell; None for whole maps."""
        self._cells = cells

    def call(self, maps: Any) -> Any:
        """(N, 8, 8, C), or (N, 4, 4, C) where cells are named -> (N, 8, 8, C)."""
        if self._cells is not None:
            after = CELLS - PATCH_CELLS - self._cells
            padding = tf.stack([tf.zeros(2, tf.int32), tf.stack([self._cells[0], after[0]]),
                                tf.stack([self._cells[1], after[1]]), tf.zeros(2, tf.int32)])  # fmt: skip
            # A quarter of the cells: twice their values keep the length of the vector that the dense layer sees.
            maps = tf.pad(maps, padding) * (CELLS / PATCH_CELLS)
        return tf.ensure_shape(maps, (None, CELLS, CELLS, maps.shape[-1]))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Always 8 x 8."""
        return (shape[0], CELLS, CELLS, shape[-1])


def patch_of(pixels: Any, cells: Any) -> Any:
    """The 128 x 128 px of (N, 256, 256, 3) that begin at these cells (row, column)."""
    start = tf.concat([[0], cells * _CELL, [0]], 0)
    side = PATCH_CELLS * _CELL
    patch = tf.slice(pixels, start, [-1, side, side, -1])
    return tf.ensure_shape(patch, (None, side, side, 3))
