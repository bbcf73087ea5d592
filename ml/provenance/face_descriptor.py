"""Whose face it may be: a short vector of one face, for the block list. A simple method that is often wrong.

The face is turned upright and scaled by its mesh, described by gradients (Dalal and Triggs 2005), and projected to the
directions that tell people apart in a small set of video frames (linear discriminant analysis with a shrunk
within-class scatter). There is no face recognition network here, so the threshold is chosen to refuse seldom wrongly,
and misses many; docs/safeguards.md says how many, as measured by `python -m ml.provenance.measure_face_descriptor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ml.faces import Face

    FaceDescriptor = NDArray[np.float32]
    """float32 (DIMENSIONS,), of length 1."""

METHOD: Final = "hog-lda-1"
"""Stored beside each descriptor. Vectors of different methods are never compared."""
SIDE: Final = 96
DIMENSIONS: Final = 64
THRESHOLD: Final = 0.52
"""Distance (one minus cosine) up to which two faces are taken for one person's: about one stranger in a thousand is."""
PROJECTION: Final = Path(__file__).with_name("face_descriptor.npz")

_RIGHT_EYE, _LEFT_EYE = (33, 133), (362, 263)  # corners, in the mesh's order; right and left are the person's
_MOUTH: Final = (61, 291)
# Where the eyes' and the mouth's middle come to lie in the square.
_PLACES: Final = np.array([[0.32, 0.36], [0.68, 0.36], [0.5, 0.75]], np.float32) * SIDE


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """mean: float32 (F,); directions: float32 (F, DIMENSIONS)."""

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> FaceDescriptor:
        projected = (features - self.mean) @ self.directions
        return np.asarray(projected / max(1e-9, float(np.linalg.norm(projected))), np.float32)


@cache
def projection() -> Projection:
    with np.load(PROJECTION, allow_pickle=False) as stored:
        return Projection(stored["mean"].astype(np.float32), stored["directions"].astype(np.float32))


def describe(pixels: NDArray[np.uint8], face: Face) -> FaceDescriptor:
    """The descriptor of one face in uint8 (H, W, 3) RGB pixels: the mean of it and of its mirror image."""
    upright = aligned(pixels, face)
    both = projection()(features(upright)) + projection()(features(upright[:, ::-1]))
    return np.asarray(both / max(1e-9, float(np.linalg.norm(both))), np.float32)


def distance(one: FaceDescriptor, other: FaceDescriptor) -> float:
    """One minus the cosine, 0 to 2."""
    return 1.0 - float(np.dot(one, other))


def nearest(descriptor: FaceDescriptor, others: Iterable[FaceDescriptor]) -> float:
    """The smallest distance to any of the others; infinite where there are none."""
    return min((distance(descriptor, other) for other in others), default=float("inf"))


def of_method(stored: Iterable[tuple[str, bytes]]) -> list[FaceDescriptor]:
    """Stored descriptors (method, float32 little-endian) that can be compared with ours; others are left out."""
    return [
        np.frombuffer(data, "<f4").astype(np.float32)
        for method, data in stored
        if method == METHOD and len(data) == 4 * DIMENSIONS
    ]


def aligned(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """The face upright, uint8 (SIDE, SIDE) grey, eyes and mouth at fixed places, contrast evened out locally."""
    points = np.stack([face.landmarks[list(pair)].mean(axis=0) for pair in (_RIGHT_EYE, _LEFT_EYE, _MOUTH)])
    turn, _ = cv2.estimateAffinePartial2D(points.astype(np.float32), _PLACES, method=cv2.LMEDS)
    if turn is None:
        raise ValueError("the mesh has no extent")
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    scale = float(np.hypot(turn[0, 0], turn[0, 1]))
    if scale < 0.5:  # reduced by averaging first, or the warp would alias
        factor = max(scale, 1 / 64)
        grey = np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        turn = np.hstack([turn[:, :2] / factor, turn[:, 2:]])
    upright = cv2.warpAffine(grey, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.createCLAHE(2.0, (4, 4)).apply(upright), np.uint8)


def features(upright: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Square-rooted histograms of gradients of an aligned face."""
    found = np.asarray(_hog().compute(np.ascontiguousarray(upright)), np.float32).ravel()
    return np.asarray(np.sqrt(np.maximum(found, 0)), np.float32)


@cache
def _hog() -> cv2.HOGDescriptor:
    return cv2.HOGDescriptor((SIDE, SIDE), (24, 24), (12, 12), (12, 12), 8)
