"""Faces come into one pose and go back to where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.swap.alignment import FACE_HEIGHT, align, hull_mask, mean_mesh, template, umeyama

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import Face, FaceFinder


def test_a_similarity_is_found_again() -> None:
    random = np.random.default_rng(3)
    points = random.normal(0, 50, (20, 2))
    turn = 1.7 * np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    matrix = umeyama(points, points @ turn.T + [5, -9])
    assert np.allclose(matrix, np.column_stack([turn, [5, -9]]))
    mirrored = umeyama(points, points * [-1, 1])
    assert np.linalg.det(mirrored[:, :2]) > 0
    with pytest.raises(ValueError, match="one place"):
        umeyama(np.zeros((5, 2)), points[:5])


def test_the_mean_mesh_is_symmetric_and_of_the_height_it_says() -> None:
    mesh = mean_mesh()
    assert mesh.shape == (478, 3)
    assert np.ptp(mesh[:, 1]) == pytest.approx(1)
    assert mesh[33, 0] == pytest.approx(-mesh[263, 0])
    assert mesh[33, 1] == pytest.approx(mesh[263, 1])
    assert mesh[1, 2] < mesh[234, 2]  # the nose is nearer than the ear


def test_an_aligned_face_lies_on_the_template_at_any_scale_and_turn(
    astronaut: NDArray[np.uint8], face: Face, finder: FaceFinder
) -> None:
    crop = align(face.landmarks, 96)
    points = crop.points(face.landmarks)
    assert np.abs(umeyama(points[:, :2], points[:, :2]) - np.eye(2, 3)).max() < 1e-6
    stable = points[[33, 263, 1, 61, 291]]
    wanted = mean_mesh()[[33, 263, 1, 61, 291], :2] * FACE_HEIGHT * 96 + 48
    assert np.abs(stable - wanted).max() < 6
    assert template(96).shape == (27, 2)
    turn = cv2.getRotationMatrix2D((225, 125), 25, 0.6)
    moved = np.asarray(cv2.warpAffine(astronaut, turn, (512, 512), flags=cv2.INTER_AREA), np.uint8)
    (again,) = finder.find(moved)
    other = align(again.landmarks, 96).cut(moved)
    inside = hull_mask(points, 96) > 0
    difference = np.abs(crop.cut(astronaut).astype(int) - other)[inside]
    assert difference.mean() < 12


def test_a_margin_shows_more_at_the_same_scale(astronaut: NDArray[np.uint8], face: Face) -> None:
    plain, wide = align(face.landmarks, 64), align(face.landmarks, 64, 1.25)
    assert wide.size == 80
    assert wide.scale == pytest.approx(plain.scale)
    difference = wide.cut(astronaut)[8:72, 8:72].astype(int) - plain.cut(astronaut)
    assert np.abs(difference).mean() < 0.5  # OpenCV rounds a matrix to 1/1024 of a pixel
    assert np.abs(difference).max() <= 8


def test_shrinking_a_large_picture_lands_in_the_same_place(astronaut: NDArray[np.uint8], face: Face) -> None:
    large = np.asarray(cv2.resize(astronaut, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC), np.uint8)
    points = (face.landmarks + 0.5) * 5 - 0.5
    difference = align(points, 64).cut(large).astype(int) - align(face.landmarks, 64).cut(astronaut)
    assert np.abs(difference).mean() < 4


def test_a_pasted_crop_covers_the_face_only(astronaut: NDArray[np.uint8], face: Face) -> None:
    crop = align(face.landmarks, 96)
    mask = crop.paste(hull_mask(crop.points(face.landmarks), 96), 512, 512)
    assert mask.shape == (512, 512)
    x, y = face.landmarks[1].astype(int)
    assert mask[y, x] == 255
    assert mask[300:].max() == 0
    back = crop.paste(crop.cut(astronaut), 512, 512)
    assert np.abs(back.astype(int) - astronaut)[mask == 255].mean() < 8
