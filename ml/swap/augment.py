"""What training sees of a face: turned, moved, recoloured; and, for the input alone, bent.

The bend (a 5 x 5 grid, each node moved by N(0, 5/256 of the side), as faceswap does it) is what makes a decoder put a
face of its own person where another person's face is: it learns to straighten what it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.swap.alignment import OVAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.swap.face_set import FaceSet

_ANGLE, _ZOOM, _SHIFT = 10.0, 0.05, 0.05
_BEND = 5 / 256
_NODES = 5
_PARTS = (
    (33, 160, 158, 133, 153, 144),
    (263, 387, 385, 362, 380, 373),
    (61, 37, 0, 267, 291, 314, 17, 84),
)  # right eye, left eye, mouth
_PART_WEIGHT = 2.0
_GROW = 0.35  # eyes and mouth are drawn so much larger than their outline


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """N samples of ``size`` pixels: ``inputs`` and ``targets`` float32 (N, S, S, 3) in [0, 1]; ``masks`` (N, S, S, 1).

    ``weights`` (N, S, S, 1) say how much a pixel counts: 1 in the face, up to 3 at eyes and mouth, falling off outside.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    masks: NDArray[np.float32]
    weights: NDArray[np.float32]


def batch_of(faces: FaceSet, count: int, random: np.random.Generator, *, flip: bool = True, bend: bool = True) -> Batch:
    """Draw ``count`` faces and make samples of them."""
    size = faces.size
    chosen = random.integers(0, len(faces), count)
    inputs = np.empty((count, size, size, 3), np.float32)
    targets = np.empty_like(inputs)
    masks = np.empty((count, size, size, 1), np.float32)
    weights = np.empty_like(masks)
    for i, at in enumerate(chosen):
        matrix = _pose(size, faces.crops.shape[1], random, flip)
        table = recolouring(random)
        lit = _coloured(faces.crops[at], table)
        targets[i] = _sample(lit, _grid(matrix, size)).astype(np.float32) / 255
        if faces.shown is None or np.array_equal(faces.shown[at], faces.crops[at]):
            seen, bent = lit, random if bend else None
        else:
            # Somebody else is shown already: a bend would only hide where eyes and mouth are to be painted.
            seen, bent = _coloured(faces.shown[at], table), None
        inputs[i] = _sample(seen, _grid(matrix, size, bent)).astype(np.float32) / 255
        masks[i, :, :, 0], weights[i, :, :, 0] = _maps(faces.points[at], matrix, size)
    return Batch(inputs, targets, masks, weights)


def plain_batch(faces: FaceSet) -> Batch:
    """Every face as it is: what the validation loss is measured on, and previews are painted from."""
    size, side = faces.size, faces.crops.shape[1]
    edge = (side - size) / 2
    matrix = np.array([[1.0, 0.0, edge], [0.0, 1.0, edge]])
    grid = _grid(matrix, size)
    pictures = np.stack([_sample(crop, grid) for crop in faces.crops]).astype(np.float32) / 255
    seen = pictures
    if faces.shown is not None:
        seen = np.stack([_sample(crop, grid) for crop in faces.shown]).astype(np.float32) / 255
    maps = [_maps(points, matrix, size) for points in faces.points]
    return Batch(seen, pictures, np.stack([m for m, _ in maps])[..., None], np.stack([w for _, w in maps])[..., None])


def recolouring(random: np.random.Generator) -> NDArray[np.uint8]:
    """Another exposure, contrast and colour of light, as a table of uint8 (256, 3)."""
    gain = np.exp(random.normal(0, 0.08) + random.normal(0, 0.03, 3))
    gamma = np.exp(random.normal(0, 0.08))
    ramp = (np.arange(256)[:, None] / 255.0) ** gamma * gain * 255 + random.normal(0, 3)
    return np.asarray(np.clip(np.rint(ramp), 0, 255), np.uint8)


def _coloured(pixels: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.LUT(pixels, table[None]), np.uint8)


def _pose(size: int, side: int, random: np.random.Generator, flip: bool) -> NDArray[np.float64]:
    """From points of the sample to points of the crop, (2, 3)."""
    angle = np.radians(random.uniform(-_ANGLE, _ANGLE))
    zoom = np.exp(random.uniform(-_ZOOM, _ZOOM))
    shift = random.uniform(-_SHIFT, _SHIFT, 2) * size
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
    if flip and random.random() < 0.5:
        turn[:, 0] *= -1
    middle = np.full(2, (size - 1) / 2)
    return np.column_stack([turn, (side - 1) / 2 + shift - turn @ middle])


def _grid(matrix: NDArray[np.float64], size: int, random: np.random.Generator | None = None) -> NDArray[np.float32]:
    """Where each pixel of the sample comes from, (S, S, 2); bent when a generator is given."""
    y, x = np.mgrid[:size, :size].astype(np.float64)
    if random is not None:
        nodes = random.normal(0, _BEND * size, (2, _NODES, _NODES)).astype(np.float32)
        # The nodes lie on the borders too: enlarged by half a cell on each side, which is then cut off.
        whole, cell = size * _NODES // (_NODES - 1), size // (_NODES - 1) // 2
        dx, dy = (cv2.resize(n, (whole, whole))[cell : cell + size, cell : cell + size] for n in nodes)
        x, y = x + dx, y + dy
    grid = np.stack([x, y], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(grid, np.float32)


def _sample(pixels: NDArray[np.uint8], grid: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.remap(pixels, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _maps(
    points: NDArray[np.float32], matrix: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mask and weights (S, S) of a face whose mesh lies at ``points`` of the crop."""
    back = np.linalg.inv(matrix[:, :2])
    here = (points - matrix[:, 2]) @ back.T
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(here[list(OVAL)]).astype(np.int32)), (255,))
    parts = np.zeros((size, size), np.uint8)
    for outline in _PARTS:
        own = here[list(outline)]
        middle = own.mean(axis=0)
        hull = cv2.convexHull(np.rint(middle + (own - middle) * (1 + _GROW)).astype(np.int32))
        cv2.fillConvexPoly(parts, hull, (255,))
    flat = mask.astype(np.float32) / 255
    reach = max(1, size // 12) | 1
    soft = cv2.blur(cv2.dilate(flat, np.ones((reach, reach))), (reach, reach))
    inner = cv2.blur(parts.astype(np.float32) / 255, (3, 3))
    return flat, np.asarray(soft + _PART_WEIGHT * inner, np.float32)
