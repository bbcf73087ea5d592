"""The whole check on a library's photo: faces found and judged, stages reported, the same answer every time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.detect.check import NOT_CHECKED, CheckRequest, checker
from ml.detect.verdict import Level
from ml.errors import MediaError
from ml.media import decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.detect.check import Checker, CheckResult


def quiet(stage: str, done: int, total: int) -> None:
    pass


def saved(path: Path, pixels: NDArray[np.uint8], **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    wide = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return wide * high / (area - wide * high)


def judged(result: CheckResult) -> list[tuple[object, ...]]:
    return [(face.box, face.level, face.probability, face.detectors, face.gradcam_jpeg) for face in result.faces]


def test_a_photo_from_decode_to_verdict(random_checker: Checker, astronaut_file: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    result = random_checker.run(
        CheckRequest(astronaut_file, explain=True), lambda stage, done, total: calls.append((stage, done, total))
    )
    (face,) = result.faces
    assert overlap(face.box, (170, 70, 270, 200)) > 0.5, "Eileen Collins's face"
    assert (result.width, result.height) == (512, 512)
    assert face.probability is not None
    assert result.probability == face.probability
    assert result.level is face.level
    assert result.interval is not None
    assert result.interval[0] <= face.probability <= result.interval[1]
    assert set(face.detectors) == {"meso4", "mesoinception4"}
    assert abs(face.yaw) < 30
    assert face.quality["face_px"] == pytest.approx(max(face.box[2] - face.box[0], face.box[3] - face.box[1]), abs=2)
    assert face.quality["jpeg_quality"] == 92
    assert result.not_checked == NOT_CHECKED
    assert (result.weights_version, result.thresholds_version) == ("random", "test")
    assert result.device.startswith(("CPU", "GPU"))
    for data, shape in (
        (face.crop_jpeg, (256, 256)),
        (face.gradcam_jpeg, (256, 256)),
        (result.display_jpeg, (512, 512)),
    ):
        assert data is not None
        assert decode(data).pixels.shape[:2] == shape
    stages = list(dict.fromkeys(stage for stage, _, _ in calls))
    assert stages == ["decode", "faces", "detectors", "explain", "verdict"]
    assert list(result.timings) == stages
    assert sum(result.timings.values()) <= result.seconds
    assert all(0 <= done <= total for _, done, total in calls)


def test_the_probability_is_the_mean_over_the_mirror_image(random_checker: Checker, astronaut_file: Path) -> None:
    from ml.faces import cut, face_square

    picture = decode(astronaut_file)
    face = random_checker.finder.find(picture.pixels)[0]
    crop = cut(picture.pixels, face_square(face), 256)[None] / np.float32(255)
    both = np.concatenate([crop, crop[:, :, ::-1]])
    raw = {name: float(np.mean(model(both, training=False))) for name, model in random_checker.predictor.models.items()}
    logit = random_checker.calibration.fused_logit(raw)
    result = random_checker.run(CheckRequest(astronaut_file), quiet)
    assert result.probability == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)


def test_without_explanation_or_renders(random_checker: Checker, astronaut_file: Path) -> None:
    result = random_checker.run(CheckRequest(astronaut_file, renders=False), quiet)
    assert result.display_jpeg is None
    assert (result.faces[0].crop_jpeg, result.faces[0].gradcam_jpeg) == (None, None)


def test_nobody_in_the_picture(random_checker: Checker, faceless_jpeg: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gradient.jpg"
    path.write_bytes(faceless_jpeg)
    result = random_checker.run(CheckRequest(path, explain=True), quiet)
    assert (result.level, result.reason_code) == (Level.NOT_APPLICABLE, "no_face")
    assert (result.probability, result.interval, result.faces) == (None, None, ())
    assert result.display_jpeg is not None


def test_two_faces_are_two_findings_and_the_worst_counts(
    random_checker: Checker, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    softer = cv2.GaussianBlur(astronaut[:, ::-1], (0, 0), 1.5)
    path = saved(tmp_path / "two.png", np.concatenate([astronaut, softer], axis=1))
    result = random_checker.run(CheckRequest(path), quiet)
    assert len(result.faces) == 2
    left, right = sorted(result.faces, key=lambda face: face.box[0])
    assert left.box[2] < 512 <= right.box[0]
    assert left.probability != right.probability
    rank = [Level.NOT_APPLICABLE, Level.LIKELY_AUTHENTIC, Level.INCONCLUSIVE, Level.LIKELY_MANIPULATED]
    assert result.level is max((left.level, right.level), key=rank.index)
    one = random_checker.run(CheckRequest(path, max_faces=1), quiet)
    assert len(one.faces) == 1
    assert "only the 1 largest" in one.not_checked[0]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photo_gives_the_same_face(
    orientation: int, random_checker: Checker, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    turns = {3: 2, 6: 1, 8: -1}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = random_checker.run(CheckRequest(saved(tmp_path / "a.png", astronaut), explain=True), quiet)
    turned = np.ascontiguousarray(np.rot90(astronaut, turns))
    result = random_checker.run(CheckRequest(saved(tmp_path / "b.png", turned, exif=exif), explain=True), quiet)
    assert judged(result) == judged(upright)


def test_the_same_picture_gives_the_same_answer(random_checker: Checker, astronaut_file: Path) -> None:
    first, second = (random_checker.run(CheckRequest(astronaut_file, explain=True), quiet) for _ in range(2))
    assert judged(first) == judged(second)
    assert (first.level, first.probability, first.interval) == (second.level, second.probability, second.interval)


def test_a_small_face_is_found_and_not_judged(
    random_checker: Checker, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    scene = np.full((900, 1200, 3), 120, np.uint8)
    scene[200:370, 300:470] = cv2.resize(astronaut, (170, 170), interpolation=cv2.INTER_AREA)
    result = random_checker.run(CheckRequest(saved(tmp_path / "small.png", scene), explain=True), quiet)
    (face,) = result.faces
    assert int(face.quality["face_px"]) < 48
    assert (face.level, face.reason_code, face.probability) == (Level.NOT_APPLICABLE, "face_too_small", None)
    assert face.detectors == {}
    assert face.crop_jpeg is not None
    assert face.gradcam_jpeg is None
    assert (result.level, result.reason_code) == (Level.NOT_APPLICABLE, "face_too_small")
    assert "too small" in result.not_checked[0]


def test_a_blurred_face_is_not_decided(random_checker: Checker, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    blurred = cv2.GaussianBlur(astronaut, (0, 0), 4)
    result = random_checker.run(CheckRequest(saved(tmp_path / "blurred.png", blurred)), quiet)
    assert [(face.level, face.reason_code) for face in result.faces] == [(Level.INCONCLUSIVE, "blurred")]


def test_report_can_stop_the_work(random_checker: Checker, astronaut_file: Path) -> None:
    class Stopped(BaseException):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "detectors":
            raise Stopped

    with pytest.raises(Stopped):
        random_checker.run(CheckRequest(astronaut_file), stop)
    assert random_checker.run(CheckRequest(astronaut_file), quiet).faces


def test_a_broken_file_is_the_persons_error(random_checker: Checker, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    path.write_bytes(astronaut_jpeg[: len(astronaut_jpeg) // 2])
    with pytest.raises(MediaError) as caught:
        random_checker.run(CheckRequest(path), quiet)
    assert caught.value.code == "truncated"


def test_large_pictures_are_shown_smaller(
    random_checker: Checker, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    large = cv2.resize(astronaut, (2400, 1800))
    result = random_checker.run(CheckRequest(saved(tmp_path / "large.jpg", large)), quiet)
    assert result.display_jpeg is not None
    with Image.open(io.BytesIO(result.display_jpeg)) as shown:
        assert shown.size == (1600, 1200)
    assert (result.width, result.height) == (2400, 1800)
    (face,) = result.faces
    assert 0 <= face.box[0] < face.box[2] <= 2400


def test_the_shipped_detectors_judge_the_photo(astronaut_file: Path) -> None:
    made = checker()
    made.warm()
    result = made.run(CheckRequest(astronaut_file, explain=True), quiet)
    (face,) = result.faces
    assert face.probability is not None
    assert result.level in {Level.LIKELY_AUTHENTIC, Level.INCONCLUSIVE}, "an unaltered portrait must not be accused"
    assert result.weights_version == made.weights_version
    assert checker() is made


@pytest.mark.parametrize("side", [240, 300])
def test_a_face_of_a_twelfth_of_a_small_picture_is_found(
    side: int, random_checker: Checker, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    scene = np.full((480, 640, 3), 120, np.uint8)
    scene[20 : 20 + side, 300 : 300 + side] = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    result = random_checker.run(CheckRequest(saved(tmp_path / "far.png", scene)), quiet)
    assert [face.probability is not None for face in result.faces] == [True]
