"""The pose in which every face enters and leaves the network, and the mask of its mesh.

A face is turned, scaled and moved (never sheared) so that the points of eyes, brows, nose and mouth's corners lie as
near as they can to those of the mean face; the mean mesh is 78 % of the crop's side high.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACE_HEIGHT = 0.78
"""Height of the mean mesh over the side of the crop: room for the jaw of an open mouth and for turned heads."""

STABLE = (
    33, 133, 159, 145, 263, 362, 386, 374,  # eyes
    70, 105, 107, 300, 334, 336,  # brows
    168, 6, 197, 195, 5, 4, 1, 2, 98, 327,  # nose
    61, 291, 0,  # mouth's corners and the middle of the upper lip: the lower one moves in speech
)  # fmt: skip
"""Mesh points that say where a head is, and little of what it says."""

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The outline of the mesh, in order."""

MEAN_MESH = Path(__file__).parent / "mean_mesh.npy"


@cache
def mean_mesh() -> NDArray[np.float32]:
    """The mean of many frontal faces, float32 (478, 3): upright, symmetric, centred, of height 1; z to the back.

    Written by ``python -m ml.training.swap_mesh``.
    """
    mesh: NDArray[np.float32] = np.load(MEAN_MESH, allow_pickle=False)
    mesh.setflags(write=False)
    return mesh


def template(size: int) -> NDArray[np.float64]:
    """Where the stable points of the mean face lie in a crop of ``size`` pixels: (27, 2)."""
    points: NDArray[np.float64] = mean_mesh()[list(STABLE), :2].astype(np.float64) * (FACE_HEIGHT * size) + size / 2
    return points


def umeyama(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """The similarity (2, 3) that takes points (N, 2) nearest to others in the least-squares sense; never a mirroring.

    Source: Umeyama, TPAMI 1991. Raises ValueError when the points do not spread.
    """
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    centre_a, centre_b = a.mean(axis=0), b.mean(axis=0)
    spread = float(((a - centre_a) ** 2).sum() / len(a))
    if not np.isfinite(spread) or spread < 1e-12:
        raise ValueError("the points of the face all lie in one place")
    u, stretch, vt = np.linalg.svd((b - centre_b).T @ (a - centre_a) / len(a))
    sign = np.array([1.0, 1.0 if np.linalg.det(u @ vt) > 0 else -1.0])
    turn = (u * sign) @ vt * (float((stretch * sign).sum()) / spread)
    return np.column_stack([turn, centre_b - turn @ centre_a])


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The way from a picture into a crop of ``size`` pixels: ``matrix`` (2, 3) takes picture points to crop points."""

    matrix: NDArray[np.float64]
    size: int

    @property
    def scale(self) -> float:
        """Crop pixels a picture pixel."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def inverse(self) -> NDArray[np.float64]:
        """The way back, (2, 3)."""
        return np.asarray(cv2.invertAffineTransform(self.matrix), np.float64)

    def cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the face out of uint8 (H, W, 3): uint8 (size, size, 3); edges are repeated where the picture ends."""
        matrix, picture = self.matrix, pixels
        if self.scale < 0.5:
            # A warp samples four pixels whatever it shrinks: shrink by areas first, or fine structure turns to noise.
            factor = 2 * self.scale
            height, width = pixels.shape[:2]
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            picture = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
            back = np.array([width / size[0], height / size[1]])
            matrix = np.column_stack([matrix[:, :2] * back, matrix[:, 2] + matrix[:, :2] @ (back - 1) / 2])
        return np.asarray(
            cv2.warpAffine(
                picture, matrix, (self.size, self.size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            ),
            np.uint8,
        )

    def points(self, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Picture points (N, 2) as crop points."""
        return np.asarray(landmarks @ self.matrix[:, :2].T + self.matrix[:, 2], np.float32)

    def paste(self, crop: NDArray[Any], width: int, height: int) -> NDArray[Any]:
        """Lay a crop back into an empty picture of this size; zero outside of it."""
        return np.asarray(
            cv2.warpAffine(crop, self.inverse, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        )


def align(landmarks: NDArray[np.float32], size: int, margin: float = 1.0) -> Alignment:
    """Align the face with these mesh points (478, 2) to a crop of ``size`` pixels.

    ``margin`` shows so many times more around the face at the same number of pixels a face: the crop's side is then
    ``round(size * margin)``. Raises ValueError when the points do not spread.
    """
    matrix = umeyama(landmarks[list(STABLE)], template(size))
    side = round(size * margin)
    matrix[:, 2] += (side - size) / 2
    return Alignment(matrix, side)


def hull_mask(points: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The convex hull of the mesh's outline, points (478, 2) in crop pixels: uint8 (size, size), 0 or 255."""
    mask = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.rint(points[list(OVAL)]).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, (255,))
    return mask
