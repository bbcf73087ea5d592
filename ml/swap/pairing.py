"""Faces of one person in the place of others' faces: what a decoder should paint when it is shown somebody else.

An autoencoder alone is never told that: it learns to paint its person from the codes of that person's faces, and is
then given those of a stranger. Here the person's face that is most alike in pose and expression is carried onto the
stranger's mesh, gaze included; the decoder is shown the stranger and asked for that. Both stay in the aligned crops of
``ml.swap.face_set``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.swap.face_set import FaceSet
from ml.swap.reposing import INNER_LIPS, carried_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

FAR = 14.0
"""Degrees of yaw between the two faces beyond which nothing is carried: one side of it was not seen."""

_NEAREST = 4  # of so many like faces one is drawn, or a clip's best frame would stand for all
_RING = 32
_SKIN = 468  # points of the mesh before those of the irises
_IRISES = ((468, 469, 471), (473, 474, 476))  # middle and the two sides; above and below the lids cover them
_LIDS = ((159, 145, 33, 133), (386, 374, 263, 362))  # upper, lower, corners
_EXPRESSIVE = (159, 145, 158, 153, 160, 144, 386, 374, 385, 380, 387, 373, *INNER_LIPS)  # lids and inner lips
_EXPRESSION = 12.0  # how much more than others these count: no stretching opens an eye that was shut
_OPEN_EYE = 0.16  # height over width of an eye from which its iris leads
_OPEN_MOUTH = 0.03  # height of the inner lips over the crop's side, from which there is something between them


def pairs(person: FaceSet, others: FaceSet, count: int, random: np.random.Generator) -> FaceSet:
    """At most ``count`` faces of ``others`` (shown), each with the person's face in its place (the crop).

    Fewer where nobody is turned as the person is. Raises ValueError for sets of different sizes, or without faces.
    """
    if person.size != others.size or not len(person) or not len(others):
        raise ValueError("pairs need faces of one size on both sides")
    crops, chosen = [], []
    for at in random.permutation(len(others)):
        gaps = expression_gaps(person.points, others.points[at])
        gaps[np.abs(person.yaw - others.yaw[at]) > FAR] = np.inf
        near = np.argsort(gaps)[:_NEAREST]
        near = near[np.isfinite(gaps[near])]
        if not len(near):
            continue
        i = int(near[random.integers(len(near))])
        crops.append(carry_over(person.crops[i], person.points[i], others.crops[at], others.points[at]))
        chosen.append(int(at))
        if len(chosen) == count:
            break
    held = others[chosen]
    made = np.stack(crops) if crops else np.zeros((0, *others.crops.shape[1:]), np.uint8)
    return FaceSet(others.size, made, held.points, held.yaw, held.pitch, held.crops)


def expression_gaps(meshes: NDArray[np.float32], mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each of aligned meshes (N, 478, 2) is from one (478, 2), in pixels, lids and lips counting more."""
    weights = np.full(_SKIN, 1.0 / _SKIN, np.float32)
    weights[list(_EXPRESSIVE)] = _EXPRESSION / _SKIN
    # Not by a matrix product: the threads of a linear algebra library wait for each other longer than this takes.
    return np.asarray((np.abs(meshes[:, :_SKIN] - mesh[:_SKIN]).mean(axis=2) * weights).sum(axis=1), np.float32)


def carry_over(
    face: NDArray[np.uint8], mesh: NDArray[np.float32], other: NDArray[np.uint8], onto: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """The face of an aligned crop (S, S, 3) with this mesh (478, 2), stretched onto the mesh of another crop."""
    side = face.shape[0]
    ring = _ring(side)
    used = list(range(_SKIN))
    for iris, lids in zip(_IRISES, _LIDS, strict=True):
        if min(_openness(mesh, lids), _openness(onto, lids)) > _OPEN_EYE:
            used += iris
    after = np.vstack([onto[used].astype(np.float64), ring])
    grid = carried_grid(after, np.vstack([mesh[used].astype(np.float64), ring]), side).astype(np.float32)
    made = np.asarray(
        cv2.remap(face, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    if mouth_height(mesh, side) < _OPEN_MOUTH < mouth_height(onto, side):
        # A closed mouth hides what an open one shows: that is the other's.
        inside = np.zeros((side, side), np.uint8)
        cv2.fillPoly(inside, [np.rint(onto[list(INNER_LIPS)]).astype(np.int32)], (255,))
        share = cv2.GaussianBlur(inside.astype(np.float32) / 255, (0, 0), 0.8)[..., None]
        made = np.asarray(np.rint(made + (other.astype(np.float32) - made) * share), np.uint8)
    return made


def mouth_height(points: NDArray[np.float32], side: int) -> float:
    """How high the inner lips of a mesh stand open, over the side of its crop."""
    return float(np.ptp(points[list(INNER_LIPS), 1])) / side


def _openness(points: NDArray[np.float32], lids: tuple[int, int, int, int]) -> float:
    upper, lower, outer, inner = (points[i] for i in lids)
    return float(np.hypot(*(upper - lower))) / max(1e-6, float(np.hypot(*(outer - inner))))


def _ring(side: int) -> NDArray[np.float64]:
    """Points on the border of the crop, which stay where they are."""
    line = np.linspace(0, side - 1, _RING // 4 + 1)[:-1]
    last, none = np.full(len(line), side - 1.0), np.zeros(len(line))
    sides = ((line, none), (last, line), (side - 1 - line, last), (none, side - 1 - line))
    return np.vstack([np.column_stack(each) for each in sides])
