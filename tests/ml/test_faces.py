"""Faces are found in library pictures, small ones too, and every square is cut the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.faces import FACE_SHARE, Face, FaceFinder, Square, cut, face_square
from ml.faces.face import clipped
from ml.faces.finder import _tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FACE = (175, 65, 275, 180)  # where scikit-image's astronaut has her face: x0, y0, x1, y1


@pytest.fixture(scope="module")
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as made:
        yield made


def test_the_astronaut_is_found_with_mesh_score_and_pose(finder: FaceFinder, astronaut: NDArray[np.uint8]) -> None:
    (face,) = finder.find(astronaut)
    x0, y0, x1, y1 = face.box
    assert FACE[0] - 10 < x0 < x1 < FACE[2] + 10
    assert FACE[1] - 10 < y0 < y1 < FACE[3] + 10
    assert face.landmarks.shape == (478, 2)
    assert face.landmarks.dtype == np.float32
    assert face.landmarks.min(axis=0) == pytest.approx([x0, y0], abs=0.01)
    assert face.landmarks.max(axis=0) == pytest.approx([x1, y1], abs=0.01)
    assert 0.5 <= face.score <= 1
    assert abs(face.yaw) < 20
    assert face.size == max(face.width, face.height)


def test_pose_follows_the_picture(finder: FaceFinder, astronaut: NDArray[np.uint8]) -> None:
    (face,) = finder.find(astronaut)
    (mirrored,) = finder.find(np.ascontiguousarray(astronaut[:, ::-1]))
    assert mirrored.roll == pytest.approx(-face.roll, abs=2)
    assert mirrored.yaw == pytest.approx(-face.yaw, abs=4)
    turn = cv2.getRotationMatrix2D((225, 125), -20, 1)  # OpenCV's positive angle is anticlockwise
    (leaning,) = finder.find(np.asarray(cv2.warpAffine(astronaut, turn, (512, 512)), np.uint8))
    assert leaning.roll - face.roll == pytest.approx(20, abs=4)


def test_small_faces_in_a_large_picture_are_found_largest_first(
    finder: FaceFinder, astronaut: NDArray[np.uint8]
) -> None:
    head = astronaut[20:250, 110:340]
    scene = np.full((2400, 3600, 3), 96, np.uint8)
    places = {(300, 300): 160, (2900, 1700): 230, (1800, 400): 200}  # x, y: side
    for (x, y), side in places.items():
        scene[y : y + side, x : x + side] = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA)
    faces = finder.find(scene)
    assert [face.size for face in faces] == sorted((face.size for face in faces), reverse=True)
    found = {
        place
        for place, side in places.items()
        for face in faces
        if place[0] < (face.box[0] + face.box[2]) / 2 < place[0] + side
        and place[1] < (face.box[1] + face.box[3]) / 2 < place[1] + side
    }
    assert found == set(places)
    assert len(faces) == len(places)
    assert len(finder.find(scene, max_faces=2)) == 2


def test_there_is_no_face_where_there_is_none(finder: FaceFinder) -> None:
    ramp = np.repeat(np.linspace(0, 255, 700, dtype=np.uint8)[None, :, None], 500, axis=0).repeat(3, axis=2)
    assert finder.find(np.ascontiguousarray(ramp)) == []
    assert finder.find(np.zeros((8, 300, 3), np.uint8)) == []
    with pytest.raises(ValueError, match="expected uint8"):
        finder.find(np.zeros((64, 64), np.uint8))


def test_a_closed_finder_builds_itself_again(astronaut: NDArray[np.uint8]) -> None:
    finder = FaceFinder()
    first = finder.find(astronaut)
    finder.close()
    assert [f.box for f in finder.find(astronaut)] == [f.box for f in first]
    finder.close()


def test_tiles_cover_the_picture_and_stay_inside() -> None:
    for width, height in ((641, 100), (4000, 3000), (900, 5000), (12_000, 800)):
        covered = np.zeros((height, width), bool)
        for x0, y0, x1, y1 in _tiles(width, height)[1:]:
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            covered[y0:y1, x0:x1] = True
        assert covered.all()


def test_the_square_holds_the_face_and_keeps_its_share() -> None:
    face = Face((10.0, 20.0, 50.0, 80.0), np.zeros((478, 2), np.float32), 0.9, 0.0, 0.0, 0.0)
    square = face_square(face)
    assert (square.cx, square.cy) == (30, 50)
    assert square.side == pytest.approx(60 * FACE_SHARE)
    assert face_square(face, 2.0).side == 120


def test_cutting_is_exact_inside_and_mirrors_outside() -> None:
    random = np.random.default_rng(5)
    picture = random.integers(0, 256, (40, 60, 3), np.uint8)
    assert np.array_equal(cut(picture, Square(20, 15, 10), 10), picture[10:20, 15:25])
    corner = cut(picture, Square(2, 2, 10), 10)
    assert np.array_equal(corner[3:, 3:], picture[:7, :7])
    assert np.array_equal(corner[:3, 3:], picture[3:0:-1, :7])
    assert cut(picture, Square(30, 20, 200), 64).shape == (64, 64, 3)  # larger than the picture: no reflection fits
    with pytest.raises(ValueError, match="outside the picture"):
        cut(picture, Square(500, 500, 10), 10)


def test_shrinking_a_square_averages_and_does_not_alias() -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = cut(np.repeat(board[:, :, None], 3, axis=2), Square(32, 32, 64), 16)
    assert abs(small.astype(int) - 127).max() <= 1


def test_the_outside_share_is_area() -> None:
    assert Square(50, 50, 20).outside_share(100, 100) == 0
    assert Square(0, 50, 20).outside_share(100, 100) == pytest.approx(0.5)
    assert Square(0, 0, 20).outside_share(100, 100) == pytest.approx(0.75)
    assert Square(50, 50, 20).moved(0.5, 0, 2) == Square(60, 50, 40)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((10.4, 20.6, 50.5, 60.4), (10, 21, 50, 60)),
        ((-7.0, -3.2, 120.0, 81.0), (0, 0, 100, 80)),
        ((-30.0, -20.0, -5.0, -4.0), (0, 0, 1, 1)),
        ((130.0, 90.0, 150.0, 99.0), (99, 79, 100, 80)),
        ((40.1, 40.2, 40.3, 40.4), (40, 40, 41, 41)),
    ],
)
def test_a_clipped_box_is_at_least_a_pixel_of_the_picture(
    box: tuple[float, float, float, float], expected: tuple[int, int, int, int]
) -> None:
    assert clipped(box, 100, 80) == expected
