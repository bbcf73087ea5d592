"""A person's face in another's place lies on the mesh of the other, and is what the decoder is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.faces import Face
from ml.swap.augment import batch_of, plain_batch
from ml.swap.face_set import FaceSet, join
from ml.swap.pairing import FAR, carry_over, pairs
from ml.swap.reposing import Pose, face_set, repose

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import FaceFinder


@pytest.fixture(scope="module")
def people(astronaut: NDArray[np.uint8], face: Face) -> tuple[FaceSet, FaceSet]:
    """The astronaut turned in a few ways, and somebody else: the same one mirrored, darker, with an open mouth."""
    own = face_set(astronaut, face, 4, 96, np.random.default_rng(3))
    mirrored = np.ascontiguousarray(astronaut[:, ::-1] // 2)
    made = []
    for yaw in (-10.0, 5.0):
        picture, points = repose(astronaut, face.landmarks, Pose(yaw=yaw, jaw=0.8))
        made.append((picture // 2, Face(face.box, points, 1.0, face.yaw - yaw, face.pitch, 0.0)))
    assert mirrored.shape == astronaut.shape
    return own, FaceSet.of(made, 96)


def test_the_face_is_found_where_the_other_one_was(people: tuple[FaceSet, FaceSet], finder: FaceFinder) -> None:
    own, other = people
    made = carry_over(own.crops[0], own.points[0], other.crops[1], other.points[1])
    (found,) = finder.find(np.kron(made, np.ones((3, 3, 1), np.uint8)))
    where = (found.landmarks + 0.5) / 3 - 0.5
    apart = np.linalg.norm(where[:468] - other.points[1, :468], axis=1).mean()
    before = np.linalg.norm(own.points[0, :468] - other.points[1, :468], axis=1).mean()
    assert apart < min(1.6, before)
    # The person's own light, not the other's, which is half of it.
    assert made[40:80, 40:80].mean() > 1.5 * other.crops[1, 40:80, 40:80].mean()


def test_pairs_show_the_other_and_ask_for_the_person(people: tuple[FaceSet, FaceSet], tmp_path: Path) -> None:
    own, other = people
    made = pairs(own, other, 2, np.random.default_rng(0))
    assert len(made) == 2
    assert made.shown is not None
    assert sorted(int(s.sum()) for s in made.shown) == sorted(int(c.sum()) for c in other.crops)
    both = join([own, made])
    both.save(tmp_path / "both.npz")
    again = FaceSet.load(tmp_path / "both.npz")
    assert again.fingerprint == both.fingerprint
    assert again.shown is not None
    assert np.array_equal(again.shown[: len(own)], own.crops)
    assert both[len(own) :].fingerprint == made.fingerprint

    shown = plain_batch(made)
    assert shown.inputs.mean() < 0.8 * shown.targets.mean()
    drawn = batch_of(made, 6, np.random.default_rng(1), bend=False)
    assert drawn.inputs.mean() < 0.8 * drawn.targets.mean()
    same = batch_of(own, 3, np.random.default_rng(1), bend=False)
    assert np.array_equal(same.inputs, same.targets)


def test_nothing_is_carried_onto_a_side_that_was_not_seen(people: tuple[FaceSet, FaceSet]) -> None:
    own, other = people
    turned = FaceSet(96, other.crops, other.points, own.yaw.max() + FAR + np.array([1, 50], np.float32), other.pitch)
    assert len(pairs(own, turned, 2, np.random.default_rng(0))) == 0
    with pytest.raises(ValueError, match="one size"):
        pairs(own, FaceSet(32, other.crops, other.points, other.yaw, other.pitch), 2, np.random.default_rng(0))
