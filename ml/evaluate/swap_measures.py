"""What a swapped clip is measured by: see the head of ``ml.evaluate.swap``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.provenance import face_descriptor
from ml.swap.alignment import OVAL, umeyama

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.faces import Face, FaceFinder

    Frames = list[NDArray[np.uint8]]

_EYES = ((33, 133, 468), (263, 362, 473))  # outer corner, inner corner, iris


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of one method on one pair: see the head of this module. lost: share of frames without a face."""

    identity: float
    landmarks: float
    gaze: float
    background: float
    flicker: float
    lost: float


def measure(
    results: Frames,
    targets: Frames,
    meshes: Sequence[NDArray[np.float32]],
    source: NDArray[np.float32],
    finder: FaceFinder,
) -> Measures:
    """Compare results with target frames, one by one. source: descriptor of the person who should be seen."""
    found: dict[str, list[float]] = {key: [] for key in ("identity", "landmarks", "gaze", "background", "flicker")}
    lost = 0
    for number, (result, target, mesh) in enumerate(zip(results, targets, meshes, strict=True)):
        inside = _inside(mesh, target.shape)
        found["background"].append(_background(result, target, inside))
        if number:
            moved = result.astype(np.float32) - results[number - 1]
            wanted = target.astype(np.float32) - targets[number - 1]
            found["flicker"].append(float(np.abs(moved - wanted)[inside].mean()) / 255)
        face = _nearest(finder.find(result, 5), mesh)
        if face is None:
            lost += 1
            continue
        found["identity"].append(face_descriptor.distance(face_descriptor.describe(result, face), source))
        apart = np.linalg.norm(face.landmarks[:468] - mesh[:468], axis=1)
        found["landmarks"].append(float(apart.mean()) / max(1.0, float(np.hypot(*(mesh[33] - mesh[263])))))
        found["gaze"].append(float(np.linalg.norm(_gaze(face.landmarks) - _gaze(mesh), axis=1).mean()))
    means = {key: float(np.mean(values)) if values else float("nan") for key, values in found.items()}
    return Measures(**means, lost=lost / max(1, len(results)))


def together(own: Measures, copied: Measures, rigid: float) -> float:
    """Identity and landmarks in one figure: each over what it is where nothing is transferred."""
    return own.identity / max(1e-6, copied.identity) + own.landmarks / max(1e-6, rigid)


def rigid_distance(mesh: NDArray[np.float32], targets: Sequence[NDArray[np.float32]]) -> float:
    """Mean distance of a mesh, laid upon each of others by a similarity, in distances between their eyes."""
    found = []
    for target in targets:
        matrix = umeyama(mesh[:468], target[:468])
        laid = mesh[:468] @ matrix[:, :2].T + matrix[:, 2]
        apart = float(np.linalg.norm(laid - target[:468], axis=1).mean())
        found.append(apart / max(1.0, float(np.hypot(*(target[33] - target[263])))))
    return float(np.mean(found))


def _nearest(faces: Sequence[Face], mesh: NDArray[np.float32]) -> Face | None:
    x, y = mesh.mean(axis=0)
    size = float(np.ptp(mesh, axis=0).max())
    near = [f for f in faces if np.hypot(*(f.landmarks.mean(axis=0) - (x, y))) < size / 2]
    return max(near, key=lambda face: face.size, default=None)


def _inside(mesh: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(mesh[list(OVAL)]).astype(np.int32)), (255,))
    return mask > 0


def _background(result: NDArray[np.uint8], target: NDArray[np.uint8], inside: NDArray[np.bool_]) -> float:
    from skimage.metrics import structural_similarity

    grey = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (result, target)]
    _, whole = structural_similarity(grey[0], grey[1], full=True, data_range=255)
    return float(whole[~inside].mean())


def _gaze(points: NDArray[np.float32]) -> NDArray[np.float32]:
    found = []
    for outer, inner, iris in _EYES:
        width = max(1.0, float(np.hypot(*(points[outer] - points[inner]))))
        found.append((points[iris] - (points[outer] + points[inner]) / 2) / width)
    return np.asarray(found, np.float32)
