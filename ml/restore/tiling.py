"""A picture of any size through a method in tiles that overlap, so that no seam is left and memory stays small.

A tile is given a halo of the method's own reach on every side that lies inside the picture; its core alone is kept. A
pixel of the core so sees exactly what it would see in the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


class Worker(Protocol):
    """What makes pixels of pixels: float32 (H, W, 3) in [0, 1] -> (H*scale, W*scale, 3), not clipped."""

    @property
    def scale(self) -> int:
        """Pixels made of one, along each side."""

    @property
    def halo(self) -> int:
        """How far away, in input pixels, something can lie that changes a pixel; a multiple of ``multiple``."""

    @property
    def multiple(self) -> int:
        """Height and width must be multiples of this."""

    @property
    def tile(self) -> int:
        """Longest side of a core, in input pixels; a multiple of ``multiple``."""

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Make the pixels."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A core [y0, y1) x [x0, x1) of the picture."""

    y0: int
    y1: int
    x0: int
    x1: int


def tiles(height: int, width: int, longest: int, multiple: int = 1) -> list[Tile]:
    """Cores of nearly one size that cover the picture, rows first; they begin at multiples of ``multiple``."""
    return [
        Tile(y0, y1, x0, x1)
        for y0, y1 in _spans(height, longest, multiple)
        for x0, x1 in _spans(width, longest, multiple)
    ]


def count(height: int, width: int, worker: Worker) -> int:
    """How many tiles a picture has."""
    return len(tiles(height, width, worker.tile, worker.multiple))


def run_tiled(
    worker: Worker, colour: NDArray[Any], advance: Callable[[], None] = lambda: None, whole: bool = False
) -> NDArray[Any]:
    """uint8 or uint16 (H, W, 3) -> the same type (H*scale, W*scale, 3), rounded and clipped.

    ``advance`` is called after every tile, and may raise to stop. ``whole`` takes the picture as one tile.
    """
    height, width = colour.shape[:2]
    s, top = worker.scale, float(np.iinfo(colour.dtype).max)
    made = np.empty((height * s, width * s, 3), colour.dtype)
    longest = max(height, width) + worker.multiple if whole else worker.tile
    for tile in tiles(height, width, longest, worker.multiple):
        y0, x0 = max(0, tile.y0 - worker.halo), max(0, tile.x0 - worker.halo)
        y1, x1 = min(height, tile.y1 + worker.halo), min(width, tile.x1 + worker.halo)
        part = _filled(colour[y0:y1, x0:x1], worker.multiple).astype(np.float32) / np.float32(top)
        out = worker(part)
        core = out[(tile.y0 - y0) * s : (tile.y1 - y0) * s, (tile.x0 - x0) * s : (tile.x1 - x0) * s]
        made[tile.y0 * s : tile.y1 * s, tile.x0 * s : tile.x1 * s] = np.rint(core.clip(0, 1) * np.float32(top))
        advance()
    return made


def _spans(extent: int, longest: int, multiple: int) -> Iterator[tuple[int, int]]:
    parts = -(-extent // longest)
    step = -(-extent // parts)
    step += -step % multiple
    for start in range(0, extent, step):
        yield start, min(extent, start + step)


def _filled(part: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Repeat the last row and column until the sides are multiples; only the picture's own end can be short."""
    down, right = (-side % multiple for side in part.shape[:2])
    return np.pad(part, ((0, down), (0, right), (0, 0)), mode="edge") if down or right else part
