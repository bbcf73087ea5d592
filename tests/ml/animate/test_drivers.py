"""The built-in motions: what they are, and that a face follows them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.animate.drivers import CHANNELS, built_in, catalogue, led, posed
from ml.animate.lids import LEVELS, level_of, shut
from ml.animate.places import LEFT_EYE, LIPS, RIGHT_EYE, keypoints_of, mirrored
from ml.animate.previews import drawn
from ml.animate.sheet import CELL, COLUMNS, built_in_people, sheet, turning_points
from ml.animate.square import square_of
from ml.errors import MediaError
from ml.faces import FaceFinder
from ml.networks.fomm import Keypoints
from ml.provenance import visible_mark
from ml.swap.alignment import mean_mesh
from ml.swap.reposing import Pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.faces import Face

STATIC = Path(__file__).resolve().parents[3] / "static"


def test_the_catalogue_has_the_four_motions_each_with_its_picture() -> None:
    assert [each.slug for each in catalogue()] == ["nod", "turn", "blink", "speak"]
    for each in catalogue():
        assert set(each.path) <= set(CHANNELS)
        assert 2 <= each.seconds <= 6
        with Image.open(STATIC / each.preview) as picture:
            assert picture.format == "WEBP"
            assert getattr(picture, "n_frames", 1) > 20
    with pytest.raises(MediaError, match="no built-in motion called dance"):
        built_in("dance")


def test_a_motion_begins_and_ends_at_rest_and_moves_between() -> None:
    for each in catalogue():
        poses = each.poses()
        assert len(poses) == each.frames
        for at in (0, -1):
            values = [abs(getattr(poses[at], name)) for name in CHANNELS]
            assert max(values) < 0.6, (each.slug, at)
        steps = [abs(getattr(a, n) - getattr(b, n)) for a, b in pairwise(poses) for n in CHANNELS]
        assert max(steps) > 0.05
        assert max(steps) < 3.5, "no head jumps"


def test_a_mesh_at_rest_stays_and_a_turned_one_turns(astronaut: tuple[NDArray[np.uint8], Face]) -> None:
    mesh = astronaut[1].landmarks
    assert np.abs(posed(mesh, Pose()) - mesh).max() < 0.05
    right = posed(mesh, Pose(yaw=15))
    assert right[1, 0] - mesh[1, 0] > 0.03 * astronaut[1].width, "the nose goes to the right edge"
    shut = posed(mesh, Pose(lids=1))
    assert np.ptp(shut[list(RIGHT_EYE), 1]) < 0.7 * np.ptp(mesh[list(RIGHT_EYE), 1])


@pytest.mark.parametrize("by_places", [True, False])
def test_keypoints_follow_the_mesh(astronaut: tuple[NDArray[np.uint8], Face], by_places: bool) -> None:
    pixels, face = astronaut
    square = square_of([face.box], pixels.shape[1], pixels.shape[0])
    own = Keypoints(*keypoints_of(((square.points(face.landmarks) + 1) / 2)[None], 2))
    led_by = {slug: led(built_in(slug), face.landmarks, square, own, by_places=by_places) for slug in ("turn", "blink")}
    for slug, each in led_by.items():
        assert each.value.shape == (built_in(slug).frames, 10, 2)
        assert np.isfinite(each.jacobian).all()
        assert np.abs(each.value[0] - own.value[0]).max() < 0.02
    nose = led_by["turn"].value[:, 6, 0] - own.value[0, 6, 0]
    assert nose.max() > 0.08
    assert nose.min() < -0.08
    # Lids are moved in the portrait itself: a blink leaves the keypoints but for the head's slight nod.
    assert np.abs(led_by["blink"].value - own.value).max() < 0.05


def test_lids_shut_in_the_portrait_itself(astronaut: tuple[NDArray[np.uint8], Face]) -> None:
    pixels, face = astronaut
    assert shut(pixels, face.landmarks, level_of(0.05)) is pixels
    half, whole = (shut(pixels, face.landmarks, level) for level in (LEVELS // 2, LEVELS))
    changed = np.abs(whole.astype(int) - pixels).max(axis=-1) > 0
    y, x = np.nonzero(changed)
    eyes = face.landmarks[list(RIGHT_EYE + LEFT_EYE)]
    assert x.min() > eyes[:, 0].min() - 0.1 * face.width
    assert x.max() < eyes[:, 0].max() + 0.1 * face.width
    assert y.max() < face.landmarks[1, 1], "nothing below the nose's tip"
    openings = []
    with FaceFinder() as finder:
        for each in (pixels, half, whole):
            (found,) = finder.find(each, 1)
            lids = [found.landmarks[low, 1] - found.landmarks[high, 1] for high, low in ((159, 145), (386, 374))]
            openings.append(float(np.mean(lids)))
    assert openings[2] < 0.75 * openings[0]
    assert openings[2] < openings[1] < openings[0]


def test_keypoints_of_a_mesh_tell_what_it_does() -> None:
    side = 128
    mesh = np.asarray(mean_mesh()[:, :2] * 64 + 64, np.float32)
    value, jacobian = keypoints_of(mesh[None], side)
    assert value.shape == (1, 10, 2)
    assert np.abs(value).max() < 0.8
    assert np.allclose(jacobian, np.eye(2), atol=0.05), "the mean face is what maps are from"
    turned = (mesh - 64) @ np.array([[0, 1], [-1, 0]], np.float32) * 1.2 + 64
    _, quarter = keypoints_of(turned[None], side)
    assert np.allclose(quarter[0, 6], 1.2 * np.array([[0, -1], [1, 0]]), atol=0.06)
    open_mouth = mesh.copy()
    middle = mesh[list(LIPS)].mean(axis=0)
    open_mouth[list(LIPS), 1] = middle[1] + 1.6 * (mesh[list(LIPS), 1] - middle[1])
    _, stretched = keypoints_of(open_mouth[None], side)
    assert stretched[0, 2, 1, 1] > 1.25 * jacobian[0, 2, 1, 1]


def test_a_mirrored_mesh_has_its_eyes_where_the_other_ones_were() -> None:
    mesh = np.asarray(mean_mesh()[:, :2] * 64 + [70, 60], np.float32)
    other = mirrored(mesh[None], 128)[0]
    assert np.allclose(
        other[list(RIGHT_EYE)].mean(0), [127 - mesh[list(LEFT_EYE), 0].mean(), mesh[list(LEFT_EYE), 1].mean()], atol=0.5
    )
    assert np.abs(mirrored(other[None], 128)[0] - mesh).max() < 0.5


def test_the_sheet_shows_painted_people_at_the_turning_points_and_is_marked() -> None:
    people = built_in_people()
    assert len(people) == 5
    assert all(pixels.shape == (256, 256, 3) for pixels in people)  # without the mark that is below them
    for each in catalogue():
        points = turning_points(each)
        assert len(points) == COLUMNS
        assert points[0] == 0
        assert all(0 < at < each.frames for at in points[1:])
    made = sheet(people[:1])
    band = visible_mark.band(made.shape[1], made.shape[0], "Unmask")
    assert np.abs(made[-len(band) :].astype(int) - band).mean() < 1
    cells = made[:CELL].reshape(CELL, len(catalogue()), COLUMNS, CELL, 3).astype(int)
    moved = np.abs(cells[:, :, 1:] - cells[:, :, :1]).mean(axis=(0, 3, 4))
    assert (moved.max(axis=1) > 0.3).all(), "a motion that does not show"  # a blink moves little else than lids
    with pytest.raises(ValueError, match="no face was found in portrait 1"):
        sheet([np.full((90, 90, 3), 80, np.uint8)])


def test_the_drawn_face_is_transparent_around_and_moves() -> None:
    rest, turned, shut = drawn(Pose()), drawn(Pose(yaw=15)), drawn(Pose(lids=1))
    assert rest.shape[2] == 4
    assert rest[0, 0, 3] == 0
    assert 0.2 < (rest[..., 3] > 0).mean() < 0.7
    assert np.abs(rest.astype(int) - turned).mean() > 2
    assert 0 < np.abs(rest.astype(int) - shut).mean() < np.abs(rest.astype(int) - turned).mean()
