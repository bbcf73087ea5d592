"""The square in which a face is restored, and where its eyes, nose and mouth lie in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.swap.alignment import align, mean_mesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.swap.alignment import Alignment

SIDE = 128
"""Pixels along the side of the square of the network that is trained here."""

_HEAD = 112 / 128  # of the side; the rest is a margin for hair, ears and the fade at the edge

PARTS = ("left_eye", "right_eye", "nose", "mouth")
"""In the picture's sense, as in DFDNet: ``left_eye`` is the one on the picture's left."""
_POINTS = ((33, 133, 159, 145), (263, 362, 386, 374), (195, 5, 4, 2, 98, 327), (61, 291, 0, 17))


def frame(landmarks: NDArray[np.float32], side: int = SIDE, margin: int = 0) -> Alignment:
    """The way of a face with these mesh points (478, 2) into the square, seen with ``margin`` px more on every side.

    Raises ValueError when the points do not spread.
    """
    head = round(_HEAD * side)
    return align(landmarks, head, (side + 2 * margin) / head)


def part_centres(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mesh points (478, 2), in pixels of the square -> the middles of ``PARTS``: float32 (4, 2), x and y."""
    return np.asarray([points[list(which)].mean(axis=0) for which in _POINTS], np.float32)


def mean_centres() -> NDArray[np.float32]:
    """The middles of the parts of the mean face: where they are sought when no mesh is known."""
    points = mean_mesh()[:, :2]
    return part_centres(frame(points.astype(np.float32)).points(points.astype(np.float32)))
