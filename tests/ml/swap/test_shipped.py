"""The shipped swap paints faces, follows what it is shown, paints the person that it is named after, and is a start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.faces import Face
from ml.networks.swap.swap_config import SWAP_96
from ml.provenance import face_descriptor, visible_mark
from ml.swap.convert import SwapRequest, run
from ml.swap.face_set import FaceSet
from ml.swap.identity import Identity
from ml.swap.learn import trainer_for
from ml.swap.people import CATALOG, STATIC, catalog, painting, path_of, start_for
from ml.swap.reposing import Pose, repose
from ml.swap.swapper import Swapper
from ml.swap.trainer import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.faces import FaceFinder
    from ml.provenance.sealing import Clip, Still

POSES = (Pose(), Pose(yaw=14), Pose(yaw=-14), Pose(pitch=8))
LARGER = 3  # the finder wants more than 96 pixels
WITHIN = 0.16  # of the distance of the eyes; a rigid mean face lies at about .2 here


@pytest.fixture(scope="module")
def shown(astronaut: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The astronaut's face in four poses as the network is shown it, (4, 96, 96, 3), and the meshes of it."""
    made = []
    for pose in POSES:
        picture, points = repose(astronaut, face.landmarks, pose)
        made.append((picture, Face(face.box, points, 1.0, face.yaw - pose.yaw, face.pitch, 0.0)))
    faces = FaceSet.of(made, SWAP_96.size)
    edge = (faces.crops.shape[1] - SWAP_96.size) // 2
    cut = faces.crops[:, edge : edge + SWAP_96.size, edge : edge + SWAP_96.size]
    return np.ascontiguousarray(cut), faces.points - edge


def large(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (picture.shape[1] * LARGER, picture.shape[0] * LARGER)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def test_the_catalogue_is_whole() -> None:
    people = catalog()
    mark = visible_mark.band(256, 256, "Unmask")
    assert len(people) >= 4
    assert len({person.slug for person in people}) == len(people)
    for person in people:
        assert path_of(person.slug).stat().st_size < 6 * 2**20
        with Image.open(STATIC / person.picture) as picture:
            pixels = np.asarray(picture.convert("RGB"))
            assert b"trainedAlgorithmicMedia" in picture.info["xmp"]
        assert painting(person).shape == (256, 256, 3)
        assert np.abs(pixels[256:].astype(int) - mark).mean() < 8  # below the face, as lossy as the picture
        assert person.name
        assert person.about.endswith(".")
    assert {path.stem for path in CATALOG.parent.glob("*.identity")} == {person.slug for person in people}


@pytest.mark.parametrize("slug", [person.slug for person in catalog()])
def test_a_person_is_painted_in_the_pose_that_was_shown(
    slug: str, shown: tuple[NDArray[np.uint8], NDArray[np.float32]], finder: FaceFinder
) -> None:
    """Random weights fail at the first step: nobody finds a face in what they paint."""
    crops, meshes = shown
    painted, _ = Swapper(Identity.load(path_of(slug)).network()).paint(crops)
    apart, heights, widths = [], [], []
    likeness: dict[str, list[float]] = {person.slug: [] for person in catalog()}
    pictures = {}
    for person in catalog():
        pixels = np.asarray(Image.fromarray(painting(person)).resize((384, 384)))
        (found,) = finder.find(pixels, 1)
        pictures[person.slug] = face_descriptor.describe(pixels, found)
    for face_made, mesh in zip(painted, meshes, strict=True):
        enlarged = large(face_made)
        (found,) = finder.find(enlarged, 1)
        where = (found.landmarks + 0.5) / LARGER - 0.5
        eyes = float(np.hypot(*(mesh[33] - mesh[263])))
        apart.append(float(np.linalg.norm(where[:468] - mesh[:468], axis=1).mean()) / eyes)
        heights.append(float(np.hypot(*(where[13] - where[14]))) / eyes)
        widths.append(float(where[1, 0] - (where[234, 0] + where[454, 0]) / 2) / eyes)
        described = face_descriptor.describe(enlarged, found)
        for name, vector in pictures.items():
            likeness[name].append(face_descriptor.distance(described, vector))
    assert np.mean(apart) < WITHIN
    assert np.mean(heights) > 0.02  # she smiles with her mouth open, and so do they, whose portraits have it shut
    assert widths[1] > widths[0] + 0.05 > widths[2] + 0.1  # the nose goes where the head turns
    assert min(likeness, key=lambda name: np.mean(likeness[name])) == slug


def test_a_picture_is_swapped_with_a_built_in_person(astronaut_file: Path, astronaut: NDArray[np.uint8]) -> None:
    made: list[NDArray[np.uint8]] = []

    def seal(media: Still | Clip) -> str:
        made.append(media.pixels)  # type: ignore[union-attr]
        return "sealed"

    result = run(SwapRequest(astronaut_file, path_of(catalog()[0].slug)), lambda *_: None, seal)
    assert (result.sealed, result.swapped) == ("sealed", 1)
    changed = np.abs(made[0].astype(int) - astronaut).max(axis=2) > 8
    assert 0.005 < changed.mean() < 0.2
    assert sum(result.timings.values()) < 30


def test_learning_begins_well_ahead_of_new_weights(
    shown: tuple[NDArray[np.uint8], NDArray[np.float32]],
    astronaut: NDArray[np.uint8],
    face: Face,
    tmp_path: Path,
) -> None:
    """A few steps from the shipped start leave a smaller loss than three times as many from new weights."""
    random = np.random.default_rng(5)
    made = []
    for _ in range(16):
        pose = Pose.drawn(random)
        picture, points = repose(astronaut, face.landmarks, pose)
        made.append((picture, Face(face.box, points, 1.0, face.yaw - pose.yaw, face.pitch, 0.0)))
    own = FaceSet.of(made, SWAP_96.size)
    other = FaceSet(own.size, own.crops // 2, own.points, own.yaw, own.pitch)
    start = start_for(SWAP_96)
    assert start is not None
    losses = {}
    for name, begun, steps in (("shipped", Identity.load(start), 6), ("new", None, 18)):
        recipe = Recipe(steps, batch=4, rate=4e-4, beta1=0.9, look_steps=steps)
        losses[name] = trainer_for(own, other, tmp_path / name, recipe, begun).train(lambda *_: None)[-1].val
    assert losses["shipped"] < 0.8 * losses["new"]
