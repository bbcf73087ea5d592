"""The square around a face that the network sees, and the way back into the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]

SHARE = 1.95
"""Side of the square over the longer side of the face's mesh, as in the clips that the network learned."""

_ROOM = 1.12  # a clip's square is at least so many times what all of its faces together take up
_RISE = 0.04  # the face lies this share of the square below its middle: hair needs more room than the neck
_FADE = 0.08  # share of the square over which its border fades into the portrait


@dataclass(frozen=True, slots=True)
class Square:
    """left, top and side in whole picture pixels; it may leave the picture, whose edge is repeated there."""

    left: int
    top: int
    side: int

    def cut(self, pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """The square of uint8 (H, W, 3) at ``size`` pixels a side."""
        height, width = pixels.shape[:2]
        right, bottom = self.left + self.side, self.top + self.side
        inside = pixels[max(0, self.top) : min(height, bottom), max(0, self.left) : min(width, right)]
        missing = (max(0, -self.top), max(0, bottom - height), max(0, -self.left), max(0, right - width))
        if any(missing):
            inside = np.asarray(cv2.copyMakeBorder(inside, *missing, cv2.BORDER_REPLICATE), np.uint8)
        if self.side == size:
            return np.ascontiguousarray(inside)
        how = cv2.INTER_AREA if self.side > size else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(inside, (size, size), interpolation=how), np.uint8)

    def paste(self, pixels: NDArray[np.uint8], made: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy of the picture with ``made`` (side, side, 3) in the square, faded in at those of its borders that lie
        inside of the picture.
        """
        height, width = pixels.shape[:2]
        x0, y0 = max(0, self.left), max(0, self.top)
        x1, y1 = min(width, self.left + self.side), min(height, self.top + self.side)
        share = self._share(width, height)[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left, None]
        part = made[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left].astype(np.float32)
        below = pixels[y0:y1, x0:x1].astype(np.float32)
        pasted = pixels.copy()
        pasted[y0:y1, x0:x1] = np.clip(np.rint(below + (part - below) * share), 0, 255).astype(np.uint8)
        return pasted

    def points(self, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Picture points (N, 2) in the network's coordinates: [-1, 1] between the centres of the outer pixels."""
        moved = landmarks - np.array([self.left, self.top], np.float32)
        return np.asarray(moved * (2 / max(1, self.side - 1)) - 1, np.float32)

    def _share(self, width: int, height: int) -> NDArray[np.float32]:
        at = np.arange(self.side, dtype=np.float32)
        fade = max(1.0, _FADE * self.side)

        def line(low: bool, high: bool) -> NDArray[np.float32]:
            share = np.ones(self.side, np.float32)
            if low:
                share = np.minimum(share, (at + 0.5) / fade)
            if high:
                share = np.minimum(share, (self.side - at - 0.5) / fade)
            soft = np.clip(share, 0, 1)
            return np.asarray(soft * soft * (3 - 2 * soft), np.float32)

        across = line(self.left > 0, self.left + self.side < width)
        down = line(self.top > 0, self.top + self.side < height)
        return np.asarray(down[:, None] * across[None], np.float32)


def square_of(boxes: Sequence[Box], width: int, height: int) -> Square:
    """One square for all of a clip's face boxes (or a picture's one), steady because it never moves.

    Raises ValueError when there are no boxes.
    """
    if not boxes:
        raise ValueError("there is no face to put a square around")
    every = np.asarray(boxes, np.float64)
    size = float(np.median(np.maximum(every[:, 2] - every[:, 0], every[:, 3] - every[:, 1])))
    centre = np.median((every[:, :2] + every[:, 2:]) / 2, axis=0)
    # Where the face wanders, the square is as large as its ways; a frame in twenty may be a wrong find.
    low, high = np.percentile(every[:, :2], 5, axis=0), np.percentile(every[:, 2:], 95, axis=0)
    reach = float((high - low).max())
    if reach * _ROOM > SHARE * size:
        centre = (low + high) / 2
    side = max(SHARE * size, reach * _ROOM)
    shorter = float(min(width, height))
    if side > shorter:
        # Repeated edges are worse than a tight square, as long as the whole face is inside.
        side = max(shorter, reach * _ROOM)
    whole = max(16, round(side))
    left, top = (round(float(c) - whole / 2) for c in (centre[0], centre[1] - _RISE * whole))
    if whole <= width:
        left = min(max(0, left), width - whole)
    if whole <= height:
        top = min(max(0, top), height - whole)
    return Square(left, top, whole)
