"""A painted face moved onto the mesh that it was painted for, so that lids, lips and contour follow the target.

A decoder paints what it is used to: lids a little lower, a jaw a little wider than the mesh says. So the painting's own
mesh is looked for, in the place where it will stand, and the painting is carried by what lies between the two. In a
clip each frame begins with two thirds of what the one before was carried by, and follows most of what is seen: that
steadies it. (With the whole of it, what no carrying can mend would add up from frame to frame.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.swap.alignment import Alignment

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.faces import FaceFinder

_SKIN = 468  # points of the mesh before those of the irises
_CONTEXT = 1.7  # side of what the finder is shown, over the crop's: it wants a head around the face
_SIDE = 192  # pixels of that: what the mesh network takes
_FURTHEST = 0.1  # of the crop's side: a mesh that lies further off on average is somebody else's, or none
_KEEPS, _FOLLOWS = 0.65, 0.7  # in a clip: of the last offsets, and of what is then seen to be left
_RING = 8  # points on each side of the crop's border, which stay
_REACHES = ((1.0, 1.0), (2.5, 1e-1), (6.0, 1e-2), (14.0, 1e-3))  # of gaussians in pixels of 96, and what each counts


@dataclass(slots=True)
class Settled:
    """What a clip's last frame was carried by: (468, 2) pixels of the crop; None before the first and after a gap."""

    offsets: NDArray[np.float32] | None = None


def settle(
    painted: NDArray[np.uint8],
    points: NDArray[np.float32],
    seen: Callable[[NDArray[np.uint8]], NDArray[np.float32] | None],
    times: int,
    before: Settled | None = None,
) -> NDArray[np.uint8]:
    """The painted crop uint8 (S, S, 3), carried so that its mesh lies at ``points`` (478, 2), crop pixels.

    ``seen`` gives the mesh that is found in a crop (:func:`mesh_in`), or None: then the painting stays as it is so far.
    It is asked ``times`` times, one less where ``before`` holds a frame's offsets (but once at least).
    """
    if times <= 0:
        return painted
    side = painted.shape[0]
    held = None if before is None else before.offsets
    offsets = np.zeros((_SKIN, 2), np.float32) if held is None else held * np.float32(_KEEPS)
    made = painted if held is None else _carried(painted, points, offsets)
    for _ in range(times if held is None else max(1, times - 1)):
        mesh = seen(made)
        if mesh is None:
            break
        apart = np.asarray(mesh[:_SKIN] - points[:_SKIN], np.float32)
        if float(np.abs(apart).mean()) > _FURTHEST * side:
            break
        offsets = offsets + apart * (1.0 if held is None else _FOLLOWS)
        made = _carried(painted, points, offsets)
    if before is not None:
        before.offsets = offsets
    return made


def mesh_in(
    crop: NDArray[np.uint8],
    mask: NDArray[np.float32],
    picture: NDArray[np.uint8],
    alignment: Alignment,
    finder: FaceFinder,
) -> NDArray[np.float32] | None:
    """The mesh (478, 2), crop pixels, of a crop laid into the picture from which ``alignment`` cut it; None if none."""
    factor = _SIDE / (alignment.size * _CONTEXT)
    edge = (_SIDE - alignment.size * factor) / 2
    matrix = alignment.matrix * factor
    matrix[:, 2] += edge
    around = Alignment(matrix, _SIDE).cut(picture)
    into = np.array([[factor, 0, edge], [0, factor, edge]])
    share = np.asarray(cv2.warpAffine(mask, into, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR))[..., None]
    face = cv2.warpAffine(crop, into, (_SIDE, _SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    laid = np.clip(np.rint(around + (face.astype(np.float32) - around) * share), 0, 255).astype(np.uint8)
    found = finder.find(laid, 1)
    return None if not found else np.asarray((found[0].landmarks - edge) / factor, np.float32)


def _carried(
    painted: NDArray[np.uint8], points: NDArray[np.float32], offsets: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Each pixel from where the offsets, given at the mesh's points, say: they fade to none at the crop's border."""
    side = painted.shape[0]
    field = offset_field(points[:_SKIN], offsets, side)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return np.asarray(
        cv2.remap(painted, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def offset_field(points: NDArray[np.float32], offsets: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Offsets (N, 2) at points (N, 2), spread over a crop: (side, side, 2). Near a point it is that point's.

    A mean weighted by gaussians of several widths, over the points that are there (Shepard's, and Knutsson and Westin's
    normalised convolution): a millisecond, and smooth where a mesh folds.
    """
    line = np.linspace(0, side - 1, _RING + 1)[:-1]
    low, high = np.zeros(_RING), np.full(_RING, side - 1.0)
    sides = ((line, low), (high, line), (side - 1 - line, high), (low, side - 1 - line))
    ring = np.vstack([np.column_stack(each) for each in sides])
    places = np.clip(np.vstack([points, ring]), 0, side - 1.001)
    values = np.column_stack([np.vstack([offsets, np.zeros_like(ring)]), np.ones(len(places))])
    whole = np.floor(places).astype(int)
    part = places - whole
    laid = np.zeros((side * side, 3))
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
            np.add.at(laid, (whole[:, 1] + down) * side + whole[:, 0] + right, values * share[:, None])
    dense = laid.reshape(side, side, 3).astype(np.float32)
    spread = np.zeros_like(dense)
    for reach, counts in _REACHES:
        spread += counts * cv2.GaussianBlur(dense, (0, 0), reach * side / 96, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(spread[..., :2] / np.maximum(spread[..., 2:], 1e-9), np.float32)
