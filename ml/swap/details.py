"""A person's own faces, kept with what was learned: where a network of 96 pixels blurs, they say how it really looks.

Of the faces that a person was learned from, some that differ most are kept. The one that is nearest to the target in
pose and expression is stretched onto the target's mesh (``ml.swap.pairing``); its fine structure takes the place of the
painting's, whose light, colour and coarse shape stay. The built-in people keep none: their portraits are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.swap.face_set import FaceSet
from ml.swap.pairing import carry_over, expression_gaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 32
"""Most faces of a person that are kept."""

_FINE = 1 / 38  # sigma of the gaussian that parts fine from coarse, over the side of the crop
_NEAR, _FAR = 0.05, 0.08  # of the crop's side: gaps up to which details count wholly, and from which not at all
_BETTER = 0.85  # of the gap of the face in use: another one is taken when it is that much nearer


@dataclass(slots=True)
class InUse:
    """The kept face that a clip's last frame took its details from."""

    number: int | None = None


def kept(faces: FaceSet, most: int = KEPT) -> FaceSet:
    """At most so many faces of a set, each as unlike the ones before it as there is (farthest point sampling)."""
    if len(faces) <= most:
        return _bare(faces)
    chosen = [int(np.argmin(np.abs(faces.yaw) + np.abs(faces.pitch)))]
    gaps = expression_gaps(faces.points, faces.points[chosen[0]])
    while len(chosen) < most:
        chosen.append(int(np.argmax(gaps)))
        gaps = np.minimum(gaps, expression_gaps(faces.points, faces.points[chosen[-1]]))
    return _bare(faces[sorted(chosen)])


def with_details(
    painted: NDArray[np.uint8],
    target: NDArray[np.uint8],
    points: NDArray[np.float32],
    own: FaceSet,
    share: float,
    before: InUse | None = None,
) -> NDArray[np.uint8]:
    """The painted crop uint8 (S, S, 3) with the fine structure of the person's nearest face.

    target: the crop that was painted over, with the margin of ``FaceSet``; points: its mesh (478, 2), pixels of that
    larger crop. share: 0 to 1, how much of the fine structure is the person's own. Where no kept face is near enough it
    fades, and the painting stays. before: what the last frame of a clip used.
    """
    side, size = target.shape[0], painted.shape[0]
    if side != own.crops.shape[1] or size != own.size:
        raise ValueError(f"the faces of this person are kept at {own.size} pixels")
    gaps = expression_gaps(own.points, points)
    number = int(np.argmin(gaps))
    if before is not None:
        if before.number is not None and gaps[number] > _BETTER * gaps[before.number]:
            number = before.number
        before.number = number
    apart = float(np.abs(own.points[number, :468] - points[:468]).mean()) / side
    share *= float(np.clip((_FAR - apart) / (_FAR - _NEAR), 0, 1))
    if share <= 0:
        return painted
    carried = carry_over(own.crops[number], own.points[number], target, points)
    edge = (side - size) // 2
    mine = carried[edge : edge + size, edge : edge + size].astype(np.float32)
    sigma = _FINE * size
    fine = mine - cv2.GaussianBlur(mine, (0, 0), sigma)
    ours = painted.astype(np.float32)
    coarse = cv2.GaussianBlur(ours, (0, 0), sigma)
    return np.asarray(np.clip(np.rint(coarse + fine * share + (ours - coarse) * (1 - share)), 0, 255), np.uint8)


def _bare(faces: FaceSet) -> FaceSet:
    return FaceSet(faces.size, faces.crops, faces.points, faces.yaw, faces.pitch)
