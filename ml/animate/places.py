"""Keypoints and their jacobians read off a face mesh: what the keypoint detector is shown at first.

The paper's detector finds keypoints by itself, over days on a GPU. Shown ten places of the face with their local affine
maps it has something to move by within minutes, and is then let go. A jacobian is the least-squares affine map from the
mean face (``ml.swap.alignment.mean_mesh``) onto the points around a place, drawn towards that of the whole head: lids
that shut flatten the map of the eye, a mouth that opens stretches that of the lips.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.swap.alignment import STABLE, mean_mesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
LIPS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
)  # fmt: skip

_HEAD = 3.0  # how strongly a jacobian is drawn to the head's, over the spread of its own points
_FREE = 0.15  # likewise for eyes and lips, whose opening is what they tell

PLACES: tuple[tuple[tuple[int, ...], float], ...] = (
    (RIGHT_EYE, _FREE),
    (LEFT_EYE, _FREE),
    (LIPS, _FREE),
    ((61, 76, 62, 78, 57, 43, 106, 182, 186, 92), _HEAD),  # the mouth's corners
    ((291, 306, 292, 308, 287, 273, 335, 406, 410, 322), _HEAD),
    ((152, 148, 176, 377, 400, 175, 171, 396, 199, 200), _HEAD),  # chin
    ((1, 2, 4, 5, 195, 98, 327, 6, 197), _HEAD),  # nose
    ((70, 63, 105, 66, 107, 300, 293, 334, 296, 336, 9, 151), _HEAD),  # brows
    ((234, 127, 93, 132, 162, 227, 137, 177), _HEAD),  # before the ears
    ((454, 356, 323, 361, 389, 447, 366, 401), _HEAD),
)
"""For every keypoint the mesh points around it, and the strength by which its jacobian is drawn to the head's."""


@cache
def twins() -> NDArray[np.int64]:
    """For every mesh point the one across the face, (478,)."""
    mean = mean_mesh().astype(np.float64)
    mirrored = mean * [-1, 1, 1]
    found: NDArray[np.int64] = np.argmin(((mirrored[:, None] - mean[None]) ** 2).sum(axis=2), axis=1)
    return found


def mirrored(meshes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Meshes (N, 478, 2) of pictures of ``side`` pixels that were turned left to right."""
    found = meshes[:, twins()].copy()
    found[..., 0] = side - 1 - found[..., 0]
    return found


def keypoints_of(meshes: NDArray[np.float32], side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values (N, 10, 2) in [-1, 1] and jacobians (N, 10, 2, 2) of meshes (N, 478, 2) in pixels of that side."""
    points = meshes.astype(np.float64) * (2 / (side - 1)) - 1
    model = mean_mesh()[:, :2].astype(np.float64)
    head = _affine(points, model, STABLE, None, 0.0)
    values = np.stack([points[:, list(places)].mean(axis=1) for places, _ in PLACES], axis=1)
    jacobians = np.stack([_affine(points, model, places, head, pull) for places, pull in PLACES], axis=1)
    return values.astype(np.float32), jacobians.astype(np.float32)


def _affine(
    points: NDArray[np.float64], model: NDArray[np.float64], places: Any, head: NDArray[np.float64] | None, pull: float
) -> NDArray[np.float64]:
    """The linear part (N, 2, 2) of the map from the model's places onto the points'."""
    at = list(places)
    a = model[at] - model[at].mean(axis=0)
    b = points[:, at] - points[:, at].mean(axis=1, keepdims=True)
    spread = a.T @ a
    drawn = pull * np.trace(spread) / 2 * np.eye(2)
    right = np.einsum("mi,nmj->nij", a, b)
    if head is not None:
        right = right + drawn @ head.transpose(0, 2, 1)
    found: NDArray[np.float64] = np.linalg.solve(spread + drawn, right).transpose(0, 2, 1)
    return found
