"""How alike two faces are: gradients of the aligned face, seen from the angle that tells people apart.

Histograms of oriented gradients (Dalal and Triggs 2005) of the aligned crop and of its mirror image, projected by a
linear discriminant analysis that was fitted on a few hundred people (``python -m ml.training.swap_likeness``). Good
enough to drop a stranger from a person's clip, and to say which of two people a face is more like; no proof of who
anybody is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from ml.swap.alignment import align

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import Face

SIDE = 64
FITTED = Path(__file__).parent / "likeness.npz"

_HOG = (SIDE, SIDE), (16, 16), (8, 8), (8, 8), 9


class _Fitted(NamedTuple):
    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    threshold: float


@cache
def _fitted() -> _Fitted:
    with np.load(FITTED, allow_pickle=False) as held:
        return _Fitted(held["mean"].astype(np.float32), held["axes"].astype(np.float32), float(held["threshold"]))


def threshold() -> float:
    """The distance under which two faces are taken for one person's: where both errors were equal on unseen people."""
    return _fitted().threshold


def describe(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """A unit vector for a face in uint8 (H, W, 3); two of one person lie near each other."""
    vector = (gradients(pixels, face) - _fitted().mean) @ _fitted().axes
    return np.asarray(vector / max(1e-6, float(np.linalg.norm(vector))), np.float32)


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """From 0 (alike) to 2: one minus the cosine."""
    return 1.0 - float(one @ other)


def gradients(pixels: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """What the analysis is fitted on: (1764,)."""
    crop = align(face.landmarks, SIDE).cut(pixels)
    grey = np.asarray(cv2.equalizeHist(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)), np.uint8)
    hog = cv2.HOGDescriptor(*_HOG)
    both = [np.asarray(hog.compute(np.ascontiguousarray(g)), np.float32).ravel() for g in (grey, grey[:, ::-1])]
    return np.asarray((both[0] + both[1]) / 2, np.float32)
