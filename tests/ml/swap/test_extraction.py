"""A person's faces are gathered: enough of them, sharp and various, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from ml.errors import MediaError
from ml.faces import Face
from ml.media import encode_png
from ml.swap.extraction import FEWEST, PoseCoverage, _Candidate, _same_person, _various, as_data, extract
from tests import clips

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def quiet(stage: str, done: int, total: int) -> None:
    assert stage == "extract"
    assert 0 <= done <= total


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = clips.astronaut_frames(30, height=320, width=400, side=320)
    frames[3] = np.asarray(cv2.GaussianBlur(frames[3], (0, 0), 3), np.uint8)
    frames[7] = clips.faceless_frames(1, 400, 320)[0]
    path = tmp_path / "clip.mp4"
    path.write_bytes(clips.encoded(frames))
    return path


def test_a_clip_gives_aligned_faces_and_says_what_was_left_out(clip: Path) -> None:
    found = extract([clip], 32, quiet)
    assert len(found.faces) == 28
    assert found.faces.crops.shape == (28, 40, 40, 3)
    assert found.looked_at == 30
    assert found.dropped == {"no_face": 1, "blurred": 1}
    assert sum(map(sum, found.coverage.counts)) == 28
    assert "to the left" in found.coverage.missing
    assert as_data(found.coverage)["counts"] == [list(row) for row in found.coverage.counts]
    few = extract([clip], 32, quiet, most=26)
    assert (len(few.faces), few.dropped["not_needed"]) == (26, 2)


def test_too_few_faces_are_refused_with_what_to_film(
    clip: Path, astronaut: NDArray[np.uint8], faceless_jpeg: bytes, tmp_path: Path
) -> None:
    photos = [tmp_path / "a.png", tmp_path / "b.jpg"]
    photos[0].write_bytes(encode_png(astronaut))
    photos[1].write_bytes(faceless_jpeg)
    with pytest.raises(MediaError) as caught:
        extract(photos, 32, quiet)
    assert caught.value.code == "too_few_faces"
    assert caught.value.message.startswith(
        f"Only 1 usable faces of one person were found; at least {FEWEST} are needed."
    )
    assert "1 without a face" in caught.value.message
    assert "Film ten seconds or more" in caught.value.message
    assert "Not seen yet: to the left, " in caught.value.message


def candidate(picture: int, vector: tuple[float, float], yaw: float = 0.0, sharpness: float = 100.0) -> _Candidate:
    unit = np.asarray(vector, np.float32) / np.hypot(*vector)
    face = Face((0, 0, 80, 80), np.zeros((478, 2), np.float32), 1.0, yaw, 0.0, 0.0)
    nothing = np.zeros((1, 1, 3), np.uint8)
    return _Candidate(nothing, face.landmarks, face, sharpness, np.asarray(unit, np.float32), picture)


def test_strangers_are_dropped_and_one_face_a_picture_is_kept() -> None:
    person = [candidate(i, (1.0, 0.05 * i)) for i in range(5)]
    strangers = [candidate(2, (-1.0, 0.1)), candidate(9, (-1.0, 0.0))]
    twin = candidate(3, (0.8, 0.6))
    assert _same_person([*person, *strangers, twin]) == person
    assert _same_person([]) == []


def test_poses_take_turns_and_the_sharpest_come_first() -> None:
    frontal = [candidate(i, (1, 0), 0.0, 50 + i) for i in range(20)]
    left = [candidate(100 + i, (1, 0), -20.0, 30) for i in range(2)]
    chosen = _various([*frontal, *left], 6)
    assert [c.picture for c in chosen] == [16, 17, 18, 19, 100, 101]


def test_the_coverage_counts_by_angle() -> None:
    yaw = np.array([-40, -20, 0, 0, 20, 40], np.float32)
    pitch = np.array([0, 0, 0, -20, 0, 30], np.float32)
    coverage = PoseCoverage.of(yaw, pitch)
    assert coverage.counts == ((0, 0, 1, 0, 0), (0, 1, 1, 1, 1), (1, 0, 0, 0, 0))
    assert coverage.missing == ("to the left", "to the right", "up", "down")
