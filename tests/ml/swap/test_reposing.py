"""A portrait is turned, opened, shut and lit, and the finder agrees with what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.swap.reposing import Pose, carry, face_set, repose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import Face, FaceFinder

EYE = (159, 145)
LIPS = (13, 14)


def gap(points: NDArray[np.float32], pair: tuple[int, int]) -> float:
    return float(np.hypot(*(points[pair[0]] - points[pair[1]])))


@pytest.fixture(scope="module")
def plain(astronaut: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    return repose(astronaut, face.landmarks, Pose())


def test_an_unchanged_pose_changes_nothing(
    plain: tuple[NDArray[np.uint8], NDArray[np.float32]], astronaut: NDArray[np.uint8], face: Face
) -> None:
    from ml.swap.alignment import align

    alignment = align(face.landmarks, 128, 1.7)
    assert np.abs(plain[1] - alignment.points(face.landmarks)).max() < 0.01
    assert np.abs(plain[0].astype(int) - alignment.cut(astronaut)).mean() < 1


@pytest.mark.parametrize(("axis", "angle"), [("yaw", 18), ("yaw", -18), ("pitch", 12), ("pitch", -10)])
def test_turns_are_seen_by_the_finder(
    plain: tuple[NDArray[np.uint8], NDArray[np.float32]],
    astronaut: NDArray[np.uint8],
    face: Face,
    finder: FaceFinder,
    axis: str,
    angle: float,
) -> None:
    picture, points = repose(astronaut, face.landmarks, Pose(**{axis: angle}))
    (before,), (after,) = finder.find(plain[0]), finder.find(picture)
    seen = getattr(after, axis) - getattr(before, axis)
    assert abs(seen) > 0.35 * abs(angle)
    # The nose goes where the face turns: to the right, or down.
    which = 0 if axis == "yaw" else 1
    moved = (after.landmarks[1] - after.landmarks[[234, 454, 10, 152]].mean(axis=0))[which]
    assert np.sign(
        moved - (before.landmarks[1] - before.landmarks[[234, 454, 10, 152]].mean(axis=0))[which]
    ) == np.sign(angle)
    # The mesh that comes with the picture is that of the picture.
    assert np.abs(after.landmarks[:468] - points[:468]).mean() < 4


def test_the_mouth_opens_and_the_eyes_shut(
    plain: tuple[NDArray[np.uint8], NDArray[np.float32]], astronaut: NDArray[np.uint8], face: Face, finder: FaceFinder
) -> None:
    picture, points = repose(astronaut, face.landmarks, Pose(jaw=1, lids=1))
    assert gap(points, LIPS) > gap(plain[1], LIPS) + 6
    assert gap(points, EYE) < 0.3 * gap(plain[1], EYE)
    (before,), (after,) = finder.find(plain[0]), finder.find(picture)
    assert gap(after.landmarks, LIPS) > gap(before.landmarks, LIPS) + 3
    shut, _ = repose(astronaut, face.landmarks, Pose(lids=1))
    changed = np.abs(shut.astype(int) - plain[0]).mean(axis=2)
    for iris in (468, 473):
        x, y = np.rint(plain[1][iris]).astype(int)
        assert changed[y - 2 : y + 3, x - 3 : x + 4].mean() > 12
    x, y = np.rint(plain[1][1]).astype(int)
    assert changed[y - 2 : y + 30, x - 3 : x + 4].mean() < 1  # nose and mouth stay


def test_light_falls_from_its_side(
    plain: tuple[NDArray[np.uint8], NDArray[np.float32]], astronaut: NDArray[np.uint8], face: Face
) -> None:
    left, _ = repose(astronaut, face.landmarks, Pose(light=(-0.9, 0, 0.43), strength=0.5))
    right, points = repose(astronaut, face.landmarks, Pose(light=(0.9, 0, 0.43), strength=0.5))
    cheeks = [tuple(np.rint(points[i]).astype(int)) for i in (50, 280)]  # in the picture's left and right

    def bright(picture: NDArray[np.uint8], at: tuple[int, ...]) -> float:
        return float(picture[at[1] - 4 : at[1] + 5, at[0] - 4 : at[0] + 5].mean())

    assert bright(left, cheeks[0]) > bright(plain[0], cheeks[0]) > bright(right, cheeks[0])
    assert bright(right, cheeks[1]) > bright(plain[0], cheeks[1]) > bright(left, cheeks[1])


def test_one_portrait_gives_many_faces(astronaut: NDArray[np.uint8], face: Face) -> None:
    faces = face_set(astronaut, face, 8, 32, np.random.default_rng(5))
    assert len(faces) == 8
    assert faces.crops.shape == (8, 40, 40, 3)
    assert np.ptp(faces.yaw) > 8
    apart = [np.abs(faces.crops[i].astype(int) - faces.crops[0]).mean() for i in range(1, 8)]
    assert min(apart) > 2
    again = face_set(astronaut, face, 8, 32, np.random.default_rng(5))
    assert again.fingerprint == faces.fingerprint


def test_a_face_is_carried_onto_another_mesh(astronaut: NDArray[np.uint8], face: Face) -> None:
    onto = face.landmarks * np.array([1.2, 0.9], np.float32) + np.array([-60, 90], np.float32)
    out = carry(astronaut, face.landmarks, onto, 512, 512)
    for point in (1, 50, 280):
        x, y = np.rint(face.landmarks[point]).astype(int)
        u, v = np.rint(onto[point]).astype(int)
        difference = astronaut[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1)) - out[v - 2 : v + 3, u - 2 : u + 3].mean(
            axis=(0, 1)
        )
        assert np.abs(difference).max() < 15
    assert out[:50].max() == 0
