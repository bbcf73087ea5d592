"""A person's own faces give the fine structure, and nothing of the coarse; the file keeps them."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.swap.details import InUse, kept, with_details
from ml.swap.identity import Identity, IdentityError
from ml.swap.pairing import expression_gaps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.networks.swap import SwapNetwork
    from ml.swap.face_set import FaceSet


def test_those_are_kept_that_differ_most(faces: FaceSet) -> None:
    few = kept(faces, 4)
    assert len(few) == 4
    rest = [i for i in range(len(faces)) if not any(np.array_equal(faces.points[i], p) for p in few.points)]
    assert len(rest) == 8
    apart = [expression_gaps(few.points, few.points[i])[[j for j in range(4) if j != i]].min() for i in range(4)]
    between = [expression_gaps(few.points, faces.points[i]).min() for i in rest]
    assert min(apart) >= max(between) * 0.99  # farthest points: none of the others is further off than they are
    assert len(kept(faces, 40)) == len(faces)


def test_the_nearest_face_lends_its_fine_structure_alone(faces: FaceSet) -> None:
    edge = (faces.crops.shape[1] - faces.size) // 2
    target, points = faces.crops[5], faces.points[5]
    sharp = target[edge : edge + faces.size, edge : edge + faces.size]
    painted = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.0), np.uint8)
    made, part = (with_details(painted, target, points, faces, share) for share in (1.0, 0.3))

    def wrong(one: NDArray[np.uint8]) -> float:
        """How far the fine structure is from the real one."""
        fine = [x - cv2.GaussianBlur(x, (0, 0), 0.84) for x in (one.astype(np.float32), sharp.astype(np.float32))]
        return float(np.abs(fine[0] - fine[1])[6:26, 6:26].mean())

    assert wrong(made) < 0.5 * wrong(painted)
    assert wrong(made) < wrong(part) < wrong(painted)
    dark = with_details(np.asarray(painted // 2, np.uint8), target, points, faces, 1.0)
    assert abs(float(dark.mean()) - float(painted.mean()) / 2) < 4  # light and colour are the painting's
    assert with_details(painted, target, points, faces, 0.0) is painted


def test_a_face_that_is_unlike_all_keeps_its_painting(faces: FaceSet) -> None:
    side = faces.crops.shape[1]
    points = faces.points[5].copy()
    points[:, 0] += np.float32(0.2 * side)
    painted = np.full((32, 32, 3), 90, np.uint8)
    assert with_details(painted, faces.crops[5], points, faces, 1.0) is painted
    with pytest.raises(ValueError, match="32 pixels"):
        with_details(np.zeros((64, 64, 3), np.uint8), faces.crops[5], points, faces, 1.0)


def test_a_clip_stays_with_a_face_until_another_is_much_nearer(faces: FaceSet) -> None:
    painted = np.full((32, 32, 3), 90, np.uint8)
    before = InUse()
    with_details(painted, faces.crops[5], faces.points[5], faces, 1.0, before)
    assert before.number == 5
    middle = (faces.points[5] * 0.48 + faces.points[6] * 0.52).astype(np.float32)  # a little nearer to the next one
    with_details(painted, faces.crops[5], middle, faces, 1.0, before)
    assert before.number == 5
    with_details(painted, faces.crops[5], faces.points[6], faces, 1.0, before)
    assert before.number == 6


def test_an_identity_keeps_them_and_refuses_what_cannot_be_them(
    small_network: Callable[..., SwapNetwork], faces: FaceSet, tmp_path: Path
) -> None:
    path = tmp_path / "ann.identity"
    Identity.of(small_network(), "a", "Ann", {}, kept(faces, 3)).save(path)
    read = Identity.load(path)
    assert read.own is not None
    assert np.array_equal(read.own.crops, kept(faces, 3).crops)
    assert np.array_equal(read.own.points, kept(faces, 3).points)
    assert not any(key.startswith("own") for key in read.arrays)
    bare = tmp_path / "bare.identity"
    Identity.of(small_network(), "a", "Ann", {}).save(bare)
    assert Identity.load(bare).own is None
    wrong = {"crops": np.zeros((2, 9, 9, 3), np.uint8), "points": np.full((3, 478, 2), np.nan, np.float32)}
    for part, value in wrong.items():
        spoiled = tmp_path / f"{part}.identity"
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(spoiled, "w") as out:
            for name in archive.namelist():
                data = io.BytesIO()
                np.save(data, value)
                out.writestr(name, data.getvalue() if name == f"own/{part}.npy" else archive.read(name))
        with pytest.raises(IdentityError, match="holds no identity"):
            Identity.load(spoiled)
