"""Faces are restored where they lie, in their own pixels, and nothing else is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.errors import MediaError
from ml.faces import Face, FaceFinder
from ml.restore import faces
from ml.restore.face_frame import PARTS, frame, mean_centres, part_centres
from ml.restore.faces import FaceRestoration

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Told:
    """A network that answers what it is told to, or what it was given."""

    colour: tuple[float, float, float] | None = None
    side: int = 128

    def __call__(self, square: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float32]:
        assert square.shape == (self.side, self.side, 3)
        assert centres.shape == (len(PARTS), 2)
        return square if self.colour is None else np.full_like(square, self.colour)


@pytest.fixture(scope="module")
def found(astronaut: NDArray[np.uint8]) -> Face:
    with FaceFinder() as finder:
        return finder.find(astronaut)[0]


def test_the_square_holds_the_face_upright_with_its_parts_in_order(found: Face) -> None:
    points = frame(found.landmarks).points(found.landmarks)
    assert (points > 4).all()
    assert (points < 124).all()
    left, right, nose, mouth = part_centres(points)
    assert left[0] + 20 < right[0]
    assert abs(left[1] - right[1]) < 4
    assert max(left[1], right[1]) + 6 < nose[1] < mouth[1] - 6
    assert np.abs(part_centres(points) - mean_centres()).max() < 8


@pytest.mark.parametrize("scale", [1, 2])
def test_a_change_lies_where_the_face_lies(scale: int, astronaut: NDArray[np.uint8], found: Face) -> None:
    size = (astronaut.shape[1] * scale, astronaut.shape[0] * scale)
    large = np.asarray(cv2.resize(astronaut, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    red = FaceRestoration(Told((1.0, 0.0, 0.0)))(astronaut, large, [found])
    changed = (np.abs(red.astype(int) - large).max(axis=2) > 20).nonzero()
    x0, y0, x1, y1 = (scale * value for value in found.box)
    # The face fills three quarters of the square's height.
    assert changed[1].min() > x0 - 0.5 * (x1 - x0)
    assert changed[1].max() < x1 + 0.5 * (x1 - x0)
    assert changed[0].min() > y0 - 0.4 * (y1 - y0)
    assert changed[0].max() < y1 + 0.4 * (y1 - y0)
    nose = (found.landmarks[4] * scale).round().astype(int)
    assert (np.abs(red[nose[1], nose[0]].astype(int) - (255, 0, 0)) <= 8).all()
    half = FaceRestoration(Told((1.0, 0.0, 0.0)), 0.5)(astronaut, large, [found])
    mean = (large[nose[1], nose[0]].astype(int) + red[nose[1], nose[0]]) / 2
    assert (np.abs(half[nose[1], nose[0]] - mean) <= 2).all()


def test_a_network_that_changes_nothing_leaves_every_pixel(astronaut: NDArray[np.uint8], found: Face) -> None:
    # The face is larger than the square: what is finer than the square's pixels must stay all the same.
    large = np.asarray(cv2.resize(astronaut, None, fx=3, fy=3, interpolation=cv2.INTER_LANCZOS4), np.uint8)
    with FaceFinder() as finder:
        face = finder.find(large)[0]
    assert face.size > 2 * 87
    same = FaceRestoration(Told())(large, large, [face])
    assert np.abs(same.astype(int) - large).max() <= 1
    strengthless = FaceRestoration(Told((0.0, 1.0, 0.0)), 0.0)(astronaut, astronaut, [found])
    assert np.array_equal(strengthless, astronaut)


def test_sixteen_bits_and_faces_at_the_edge(astronaut: NDArray[np.uint8], found: Face) -> None:
    x0, y0, x1, y1 = (round(value) for value in found.box)
    cut = np.ascontiguousarray(astronaut[y0 + 5 : y1 - 5, x0 + 5 : x1 - 5]).astype(np.uint16) * 257
    moved = Face(found.box, found.landmarks - (x0 + 5, y0 + 5), 1.0, 0.0, 0.0, 0.0)
    grey = FaceRestoration(Told((0.5, 0.5, 0.5)))(cut, cut, [moved])
    assert grey.dtype == np.uint16
    middle = grey[grey.shape[0] // 2, grey.shape[1] // 2].astype(int)
    assert (np.abs(middle - 32768) < 1000).all()


def test_every_face_is_counted_and_a_stop_is_heard(astronaut: NDArray[np.uint8], found: Face) -> None:
    told: list[int] = []
    FaceRestoration(Told())(astronaut, astronaut, [found, found], lambda: told.append(1))
    assert len(told) == 2

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FaceRestoration(Told())(astronaut, astronaut, [found], stop)


def test_a_picture_without_a_face_is_told_so() -> None:
    with pytest.raises(MediaError, match="No face was found") as raised:
        faces.find(np.full((120, 160, 3), 90, np.uint8))
    assert raised.value.code == "no_face"


def test_a_degraded_face_comes_nearer_to_what_it_was_and_the_rest_stays(
    astronaut: NDArray[np.uint8], found: Face, tmp_path: Path
) -> None:
    from ml.restore.enhance import EnhanceRequest, run
    from ml.restore.fidelity import luma, ssim
    from ml.restore.task import Task

    random = np.random.default_rng(4)
    truth = np.ascontiguousarray(astronaut[:320, 60:380])
    small = cv2.resize(cv2.GaussianBlur(truth, (0, 0), 1.2), (100, 100), interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + random.normal(0, 8, small.shape), 0, 255)
    worse = np.asarray(cv2.resize(noisy, (320, 320), interpolation=cv2.INTER_CUBIC).clip(0, 255), np.uint8)
    path = tmp_path / "worse.png"
    Image.fromarray(worse).save(path)
    told: list[tuple[str, int, int]] = []
    result = run(EnhanceRequest(path, Task.FACE, tmp_path), lambda *stage: told.append(stage)).results[0]
    assert told[-1] == ("enhance", 2, 2), "the picture and one face"
    assert (result.method, result.origin) == ("dictionary", "trained here")
    assert result.source_type == "compositeWithTrainedAlgorithmicMedia"
    with Image.open(result.path) as image:
        made = np.asarray(image)
    x0, y0, x1, y1 = (round(value) for value in found.box)
    face = np.s_[y0:y1, x0 - 60 : x1 - 60]
    assert ssim(luma(made[face]), luma(truth[face])) > ssim(luma(worse[face]), luma(truth[face])) + 0.04
    assert np.array_equal(made[-60:], worse[-60:])
    large = run(EnhanceRequest(path, Task.FACE, tmp_path, scale=2, strength=0.5), lambda *_: None).results[0]
    assert (large.width, large.height, large.strength) == (640, 640, 0.5)


@pytest.mark.parametrize("form", ["sixteen bits", "palette with transparency", "printing colours", "grey"])
def test_faces_in_pictures_of_every_form(form: str, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    from ml.restore.enhance import EnhanceRequest, run
    from ml.restore.task import Task

    pixels = np.ascontiguousarray(astronaut[:256, 100:356])
    image, path = Image.fromarray(pixels), tmp_path / ("in.jpg" if form == "printing colours" else "in.png")
    if form == "sixteen bits":
        path.write_bytes(cv2.imencode(".png", pixels[..., ::-1].astype(np.uint16) * 257)[1].tobytes())
    elif form == "palette with transparency":
        palette = image.quantize(64)
        palette.save(path, transparency=int(np.asarray(palette)[0, 0]))
    else:
        image.convert("CMYK" if form == "printing colours" else "L").save(path)
    result = run(EnhanceRequest(path, Task.FACE, tmp_path), lambda *_: None).results[0]
    made = cv2.imdecode(np.frombuffer(result.path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert made.dtype == (np.uint16 if form == "sixteen bits" else np.uint8)
    assert made.shape == (256, 256, *{"palette with transparency": (4,), "grey": ()}.get(form, (3,)))
    assert any("CMYK" in note for note in result.notes) == (form == "printing colours")
    given = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    change = np.abs(cv2.imread(str(result.path), cv2.IMREAD_GRAYSCALE).astype(int) - given)
    assert change[60:200, 60:200].max() > 3, "the face was left as it was"
    if form == "palette with transparency":
        assert (made[..., 3] == 0).any()
    else:
        assert change[-6:].max() <= 12, "what lies around was changed"


def test_the_command_restores_faces_and_says_where_there_is_none(
    astronaut: NDArray[np.uint8], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ml.restore.command import main

    path, out = tmp_path / "a.png", tmp_path / "out.png"
    Image.fromarray(astronaut[:256, 100:356]).save(path)
    assert main([str(path), str(out), "--task", "face", "--scale", "2"]) == 0
    assert "512 x 512 px, Face restorer with dictionaries, trained here" in capsys.readouterr().out
    Image.new("RGB", (80, 60), (10, 90, 10)).save(path)
    assert main([str(path), str(tmp_path / "none.png"), "--task", "face"]) == 1
    assert "No face was found in the picture" in capsys.readouterr().err
    assert not (tmp_path / "none.png").exists()
