"""A painted face is carried to where the target's mesh says, and no further than what is seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.swap.alignment import align
from ml.swap.blending import MaskKind, face_mask
from ml.swap.settling import Settled, mesh_in, offset_field, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.faces import Face, FaceFinder

SIZE = 96


@pytest.fixture(scope="module")
def points(face: Face) -> NDArray[np.float32]:
    return align(face.landmarks, SIZE).points(face.landmarks)


def dots(points: NDArray[np.float32], chosen: tuple[int, ...] = (33, 263, 4, 61, 291)) -> NDArray[np.uint8]:
    """A crop with a bright spot on some points of a mesh."""
    crop = np.zeros((SIZE, SIZE), np.float32)
    y, x = np.mgrid[:SIZE, :SIZE]
    for i in chosen:
        crop += 200 * np.exp(-((x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2) / 8)
    return np.repeat(np.clip(crop, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def place(crop: NDArray[np.uint8], around: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where the middle of the brightness near a point is."""
    y, x = np.mgrid[:SIZE, :SIZE]
    weight = crop[..., 0] * (np.hypot(x - around[0], y - around[1]) < 7)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def test_what_was_painted_beside_the_mesh_is_carried_onto_it(points: NDArray[np.float32]) -> None:
    moved = points.copy()
    moved[:, 0] += 2.5
    moved[:, 1] -= np.linspace(0, 2, len(points), dtype=np.float32)
    painted = dots(moved)
    made = settle(painted, points, lambda _: moved, 1)
    for i in (33, 263, 4, 61, 291):
        assert np.hypot(*(place(painted, points[i]) - points[i])) > 1.5
        assert np.hypot(*(place(made, points[i]) - points[i])) < 0.7
    assert np.array_equal(made[0], painted[0])  # the border stays


def test_it_stays_as_it_is_where_nothing_or_somebody_else_is_seen(points: NDArray[np.float32]) -> None:
    painted = dots(points)
    elsewhere = points + np.float32(30)
    ways: list[Callable[[NDArray[np.uint8]], NDArray[np.float32] | None]] = [lambda _: None, lambda _: elsewhere]
    for seen in ways:
        assert np.array_equal(settle(painted, points, seen, 2), painted)
    assert settle(painted, points, lambda _: elsewhere, 0) is painted


def test_a_clip_hands_on_what_was_carried_and_nothing_adds_up(points: NDArray[np.float32]) -> None:
    """One look a frame is enough then; what never is mended leads to no more than twice itself."""
    looks: list[NDArray[np.uint8]] = []

    def seen(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        looks.append(crop)
        return points + np.float32(2)

    before = Settled()
    settle(dots(points), points, seen, 2, before)
    assert len(looks) == 2
    assert before.offsets is not None
    assert before.offsets.mean() == pytest.approx(4)
    for number in range(12):
        settle(dots(points), points, seen, 2, before)
        assert len(looks) == 3 + number
    assert before.offsets.mean() == pytest.approx(2 * 0.7 / 0.35, abs=0.05)
    settle(dots(points), points, lambda _: None, 2, before)
    assert before.offsets.mean() == pytest.approx(4 * 0.65, abs=0.05)  # unseen, it dies away


def test_offsets_are_those_of_the_nearest_points_and_none_at_the_border() -> None:
    places = np.array([[30, 40], [60, 40], [45, 70]], np.float32)
    offsets = np.array([[2, 0], [-2, 1], [0, 3]], np.float32)
    field = offset_field(places, offsets, SIZE)
    assert field.shape == (SIZE, SIZE, 2)
    for (x, y), offset in zip(places.astype(int), offsets, strict=True):
        assert np.abs(field[y, x] - offset).max() < 0.1
    assert np.abs(field[[0, -1]]).max() < 0.1
    assert np.abs(field).max() <= 3


def test_the_mesh_of_a_crop_is_found_in_its_place(
    astronaut: NDArray[np.uint8], face: Face, points: NDArray[np.float32], finder: FaceFinder
) -> None:
    alignment = align(face.landmarks, SIZE)
    mask = face_mask(points, SIZE, None, MaskKind.HULL, 0.0, 0.05)
    crop = alignment.cut(astronaut)
    seen = mesh_in(crop, mask, astronaut, alignment, finder)
    assert seen is not None
    assert np.abs(seen[:468] - points[:468]).mean() < 1.0
    shift = np.array([[1, 0, 0], [0, 1, 3]], np.float64)
    lower = np.asarray(cv2.warpAffine(crop, shift, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    moved = mesh_in(lower, mask, astronaut, alignment, finder)
    assert moved is not None
    nose = [1, 4, 5, 195]
    assert float((moved[nose] - seen[nose])[:, 1].mean()) == pytest.approx(3, abs=1.5)
    assert mesh_in(np.zeros_like(crop), np.ones_like(mask), np.zeros_like(astronaut), alignment, finder) is None
