"""Keypoints with their local affine maps, and motion relative to a first frame."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Keypoints(NamedTuple):
    """Keypoints of N pictures. ``value`` (N, K, 2): x, y in [-1, 1], the ends being the centres of the outer pixels;
    ``jacobian`` (N, K, 2, 2): the map's first derivative there. float32.
    """

    value: Array
    jacobian: Array


def normalise(
    source: Keypoints,
    driving: Keypoints,
    driving_initial: Keypoints,
    *,
    relative: bool = True,
    relative_jacobian: bool = True,
    adapt_scale: bool = True,
) -> Keypoints:
    """Move the source's keypoints as the driver's have moved since its first frame.

    ``driving`` may hold many frames and the other two one: they are broadcast. With ``relative`` p = p_s + s (p_d -
    p_d0), where s = sqrt(hull(p_s) / hull(p_d0)) with ``adapt_scale``, else 1; with ``relative_jacobian`` J = J_d
    J_d0^-1 J_s. What is not relative is the driver's own. Siarohin et al. 2019, section 3.4, and the authors'
    animation script.
    """
    value, jacobian = np.asarray(driving.value, np.float32), np.asarray(driving.jacobian, np.float32)
    if relative:
        scale = np.ones((1, 1, 1), np.float32)
        if adapt_scale:
            ours, theirs = _hull_areas(source.value), _hull_areas(driving_initial.value)
            # Keypoints all on one line span nothing; then there is no scale to adapt.
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.where((ours > 0) & (theirs > 0), np.sqrt(ours / theirs), 1)
            scale = ratio.astype(np.float32)[:, None, None]
        value = np.asarray(source.value) + scale * (value - np.asarray(driving_initial.value))
    if relative_jacobian:
        started = np.linalg.inv(np.asarray(driving_initial.jacobian))
        jacobian = jacobian @ started @ np.asarray(source.jacobian)
    return Keypoints(value.astype(np.float32), jacobian.astype(np.float32))


def _hull_areas(points: Array) -> Array:
    return np.array([hull_area(one) for one in np.asarray(points, np.float64)])


def hull_area(points: Array) -> float:
    """Return the area of the convex hull of (K, 2) points (Andrew's monotone chain, then the shoelace formula)."""
    ordered = [points[index] for index in np.lexsort((points[:, 1], points[:, 0]))]
    hull: list[Array] = []
    for chain in (ordered, ordered[::-1]):
        begin = len(hull)
        for point in chain:
            while len(hull) >= begin + 2 and _turn(hull[-2], hull[-1], point) <= 0:
                hull.pop()
            hull.append(point)
        hull.pop()
    x, y = np.array(hull).reshape(-1, 2).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def _turn(a: Array, b: Array, c: Array) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
