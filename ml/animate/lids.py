"""A portrait whose lids shut: the network carries heads and mouths along, and no blink.

Its training clips hold few blinks, a pixel high, and none was learned: the map of an eye that is shut leaves the
picture as it is. So lids are moved in the portrait itself, by its face mesh, before the network moves the rest: by the
path of a built-in motion, or as far as the lids of a driving clip's mesh come together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ml.animate.drivers import posed
from ml.animate.places import LEFT_EYE, RIGHT_EYE
from ml.swap.reposing import UPPER_LIDS, Pose, carried_grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LEVELS = 4
_PAIRS = len(UPPER_LIDS) // 2  # of points on the lids of one eye
"""Lids are open, or shut by so many quarters: the portrait is looked at once for each."""

_CORNERS = ((33, 133), (362, 263))  # of the right eye and the left one
_STEADY = 0.2  # the mesh's lids wobble by so much, and seem to as a head nods: nothing is shut by it
_SHUT = 0.65  # and so much of their way they come together in the mesh of an eye that is shut

_AROUND = 0.75  # widths of the eye from its middle to the border of what is moved
_SKIN = 468  # points of the mesh before those of the iris
_BORDER = 6  # points a side of the frame that stands still


def level_of(lids: float) -> int:
    """The nearest level, 0 (open) to ``LEVELS`` (shut)."""
    return round(min(1.0, max(0.0, lids)) * LEVELS)


def openness(mesh: NDArray[np.float32]) -> float:
    """How far the eyes of a mesh (478, 2) are open: the mean way between their lids, in widths of the eye."""
    found = []
    for number, (inner, outer) in enumerate(_CORNERS):
        upper, lower = np.asarray(UPPER_LIDS[number * _PAIRS : (number + 1) * _PAIRS]).T
        ways = np.linalg.norm(mesh[upper] - mesh[lower], axis=1)
        found.append(float(ways.mean()) / max(1e-6, float(np.linalg.norm(mesh[outer] - mesh[inner]))))
    return sum(found) / len(found)


def followed(meshes: Mapping[int, NDArray[np.float32]], start: int, count: int) -> tuple[int, ...]:
    """The level of each of ``count`` frames of a driver, relative to its frame ``start``; between those whose mesh is
    known, evenly. Empty where its lids never come together.
    """
    if not meshes:
        return ()
    frames = sorted(meshes)
    opened = np.interp(np.arange(count), frames, [openness(meshes[at]) for at in frames])
    # A start frame in the middle of a blink would hold the eyes open for good.
    usual = max(float(opened[min(start, count - 1)]), float(np.median(opened)))
    shares = (1 - opened / max(1e-6, usual) - _STEADY) / (_SHUT - _STEADY)
    levels = tuple(level_of(float(share)) for share in shares)
    return levels if any(levels) else ()


def shut(pixels: NDArray[np.uint8], mesh: NDArray[np.float32], level: int) -> NDArray[np.uint8]:
    """A copy of uint8 (H, W, 3) in which the lids of the face with this mesh (478, 2) are shut so far."""
    if level <= 0:
        return pixels
    moved = posed(mesh, Pose(lids=level / LEVELS))
    made = pixels.copy()
    for eye in (RIGHT_EYE, LEFT_EYE):
        _shut_one(made, pixels, mesh, moved, eye)
    return made


def _shut_one(
    made: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    mesh: NDArray[np.float32],
    moved: NDArray[np.float32],
    eye: Sequence[int],
) -> None:
    places = mesh[list(eye)]
    reach = max(4, round(_AROUND * float(np.ptp(places[:, 0]))))
    x, y = np.rint(places.mean(axis=0)).astype(int).tolist()
    left, top = max(0, x - reach), max(0, y - reach)
    right, bottom = min(pixels.shape[1], x + reach + 1), min(pixels.shape[0], y + reach + 1)
    if right - left < 4 or bottom - top < 4:
        return
    corner, last = np.array([left, top], np.float64), np.array([right - left - 1.0, bottom - top - 1.0])
    before, after = mesh[:_SKIN] - corner, moved[:_SKIN] - corner
    inside = ((before > 1) & (before < last - 1) & (after > 1) & (after < last - 1)).all(axis=1)
    frame = _frame(last)
    side = max(right - left, bottom - top)
    grid = carried_grid(
        np.vstack([after[inside], frame]).astype(np.float64),
        np.vstack([before[inside], frame]).astype(np.float64),
        side,
    )[: bottom - top, : right - left].astype(np.float32)
    part = pixels[top:bottom, left:right]
    carried = cv2.remap(
        part, grid[..., 0].copy(), grid[..., 1].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    known = np.isfinite(grid).all(axis=-1, keepdims=True)
    made[top:bottom, left:right] = np.where(known, carried, part)


def _frame(last: NDArray[np.float64]) -> NDArray[np.float64]:
    share = np.linspace(0, 1, _BORDER)
    edges = [np.column_stack([share, np.full(_BORDER, at)]) for at in (0.0, 1.0)]
    edges += [np.column_stack([np.full(_BORDER, at), share]) for at in (0.0, 1.0)]
    found: NDArray[np.float64] = np.unique(np.vstack(edges), axis=0) * last
    return found
