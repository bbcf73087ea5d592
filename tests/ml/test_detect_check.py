"""The whole check on a library's photo: faces found and judged, stages reported, the same answer every time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.detect.boundary_map import overlay
from ml.detect.check import NEW_GENERATORS, NO_GENERATORS, NOT_CHECKED, CheckRequest, checker
from ml.detect.crops import SHOWN, Crops, View, cut_faces, join
from ml.detect.verdict import Level
from ml.errors import MediaError
from ml.media import decode
from ml.provenance import trust
from tests.ml.provenance.signed_files import GENERATED, Studio

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
    assert result.not_checked == (NO_GENERATORS, *NOT_CHECKED)
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
    assert stages == ["decode", "provenance", "faces", "detectors", "explain", "verdict"]
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


def test_four_detectors_and_the_boundary_map(full_checker: Checker, astronaut_file: Path) -> None:
    result = full_checker.run(CheckRequest(astronaut_file, explain=True), quiet)
    (face,) = result.faces
    assert set(face.detectors) == {"meso4", "mesoinception4", "boundary", "synthesis"}
    assert all(0 <= value <= 1 for value in face.detectors.values())
    assert result.not_checked == (NEW_GENERATORS, *NOT_CHECKED)
    pictures = [face.crop_jpeg, face.gradcam_jpeg, face.boundary_jpeg]
    plain, heat, seam = (decode(data).pixels.astype(int) for data in pictures if data is not None)
    assert plain.shape == heat.shape == seam.shape == (256, 256, 3)
    assert np.abs(seam - heat).max() > 20, "two maps, told apart by their colours"
    assert full_checker.run(CheckRequest(astronaut_file), quiet).faces[0].boundary_jpeg is None


def test_evidence_outside_of_a_check_is_that_of_the_check(full_checker: Checker, astronaut_file: Path) -> None:
    """A video's faces are cut, judged and looked at by the same code as a picture's."""
    pixels = decode(astronaut_file).pixels
    faces = full_checker.finder.find(pixels)
    crops = full_checker.cut_faces(pixels, faces)
    seen: list[tuple[str, int, int]] = []
    many = full_checker.evidence(join([crops] * 13), lambda *told: seen.append(told))
    assert len(many) == 13
    assert seen[0] == ("detectors", 0, 13)
    assert seen[-1] == ("detectors", 13, 13)
    assert all(
        each.plain[name] == pytest.approx(many[0].plain[name], rel=1e-3, abs=1e-3)
        for each in many
        for name in each.plain
    )
    assert many[0].boundary is not None
    assert 0 <= many[0].boundary.min() <= many[0].boundary.max() <= 1
    result = full_checker.run(CheckRequest(astronaut_file), quiet)
    verdict = full_checker.judge_face(faces[0].size, many[0], float(result.faces[0].quality["sharpness"]))
    assert verdict.level is result.level
    assert verdict.probability == pytest.approx(result.probability, abs=1e-3)
    assert full_checker.judge_face(20.0, None, 1.0).reason == "face_too_small"
    with pytest.raises(ValueError, match="judged by evidence"):
        full_checker.judge_face(200.0, None, 1.0)


def test_crops_are_chosen_mirrored_and_joined(full_checker: Checker, astronaut: NDArray[np.uint8]) -> None:
    faces = full_checker.finder.find(astronaut)
    crops = cut_faces(astronaut, [*faces, *faces], full_checker.predictor.views)
    assert set(crops.stacks) == {SHOWN, *full_checker.predictor.views}
    assert len(crops) == 2
    both = join([crops, crops[[1]], crops[:0]])
    assert len(both) == 3
    for view, stack in both.stacks.items():
        assert stack.shape == (3, view.size, view.size, 3)
        assert np.array_equal(both.mirrored().stacks[view], stack[:, :, ::-1])
        again = both.reencoded(70).stacks[view].astype(int)
        assert 0 < np.abs(again - stack).mean() < 6
    assert len(Crops({SHOWN: np.zeros((0, 256, 256, 3), np.uint8)}).reencoded(70)) == 0


def test_the_boundary_map_lies_where_it_was_seen() -> None:
    crop = np.full((256, 256, 3), 90, np.uint8)
    seam = np.zeros((32, 32), np.float32)
    assert np.array_equal(overlay(crop, seam), crop)
    seam[4:8, 20:24] = 1.0
    drawn = overlay(crop, seam).astype(int)
    changed = np.argwhere(np.abs(drawn - 90).max(axis=2) > 40)
    assert changed.min(axis=0) == pytest.approx([32, 160], abs=5)
    assert changed.max(axis=0) == pytest.approx([63, 191], abs=5)
    wider = overlay(crop, seam, View(SHOWN.share * 2, 128)).astype(int)
    assert np.array_equal(wider[130:, :], np.full((126, 256, 3), 90)), "a wider view's map is larger than the crop"
    tighter = np.argwhere(np.abs(overlay(crop, seam, View(SHOWN.share / 2, 128)).astype(int) - 90).max(axis=2) > 40)
    assert tighter.min(axis=0) == pytest.approx([64 + 16, 64 + 80], abs=4)


def test_a_valid_statement_of_being_generated_decides(
    random_checker: Checker,
    astronaut_jpeg: bytes,
    faceless_jpeg: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studio = Studio.open()
    (tmp_path / "anchors.pem").write_text(studio.anchor)
    monkeypatch.setenv("UNMASK_TRUST_LIST", str(tmp_path / "anchors.pem"))
    trust.installed_trust_list.cache_clear()
    path = tmp_path / "signed.jpg"
    path.write_bytes(astronaut_jpeg)
    plain = random_checker.run(CheckRequest(path), quiet)
    assert plain.reason_code != "provenance_says_generated"
    assert plain.provenance["says_generated"] is False
    path.write_bytes(studio.sign(astronaut_jpeg, GENERATED))
    said = random_checker.run(CheckRequest(path), quiet)
    assert (said.level, said.reason_code) == (Level.LIKELY_MANIPULATED, "provenance_says_generated")
    assert said.provenance["says_generated"] is True
    assert said.perceptual_hash == plain.perceptual_hash
    assert len(said.perceptual_hash) == 16
    assert said.probability == plain.probability, "the detectors' score stays"
    assert [face.level for face in said.faces] == [face.level for face in plain.faces]
    signed = bytearray(path.read_bytes())
    signed[-2000] ^= 1  # a pixel's byte: the manifest no longer holds, and decides nothing
    path.write_bytes(bytes(signed))
    assert random_checker.run(CheckRequest(path), quiet).reason_code != "provenance_says_generated"
    path.write_bytes(studio.sign(faceless_jpeg, GENERATED))
    nobody = random_checker.run(CheckRequest(path), quiet)
    assert (nobody.level, nobody.probability) == (Level.LIKELY_MANIPULATED, None)
    trust.installed_trust_list.cache_clear()
