"""The face restorer's training: what is done to faces, what K-means finds, and that both stages learn and go on."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.restore.face_frame import SIDE, frame, part_centres
from ml.training import face_restorer
from ml.training.face_entries import centres_of
from ml.training.face_faults import DegradedFaces, Fault, enlarged, small
from ml.training.restorer_run import best_weights
from ml.training.sharp_faces import MARGIN, SharpFaces

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def faces(astronaut: NDArray[np.uint8]) -> SharpFaces:
    """One face in many lights."""
    from ml.faces import FaceFinder

    with FaceFinder() as finder:
        found = finder.find(astronaut)[0]
    wide = frame(found.landmarks, margin=MARGIN)
    crop, centres = wide.cut(astronaut), part_centres(wide.points(found.landmarks))
    lights = [np.clip(crop * (0.6 + 0.01 * number), 0, 255).astype(np.uint8) for number in range(60)]
    return SharpFaces(np.stack(lights), np.stack([centres] * 60), np.arange(60) % 3 == 0, np.full(60, 9, np.float32))


def test_faults_take_away_and_a_batch_is_a_function_of_its_step(faces: SharpFaces) -> None:
    truth = faces.crops[0, MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32) / 255
    errors = []
    for fault in (Fault(0.1, 1.0, 0.0, 100), Fault(1.0, 3.0, 8.0, 80), Fault(2.5, 8.0, 20.0, 60)):
        made = small(truth, fault, np.random.default_rng(0))
        assert made.shape == (round(SIDE / fault.reduction), round(SIDE / fault.reduction), 3)
        errors.append(float(np.abs(enlarged(made, SIDE) - truth).mean()))
    assert errors[0] < 0.01 < errors[1] < errors[2]
    batches = DegradedFaces(faces, 4, 7)
    (worse, centres), clean = batches.at(3)
    again = DegradedFaces(faces, 4, 7).at(3)
    assert np.array_equal(worse, again[0][0])
    assert np.array_equal(centres, again[0][1])
    assert (worse.shape, centres.shape, clean.shape) == ((4, SIDE, SIDE, 3), (4, 4, 2), (4, SIDE, SIDE, 3))
    assert (centres[:, 0, 0] < centres[:, 1, 0]).all(), "mirrored or not, the left eye is on the left"


def test_kmeans_finds_groups_and_wants_enough_faces() -> None:
    random = np.random.default_rng(1)
    groups = random.normal(0, 5, (3, 2, 2, 4)).astype(np.float32)
    samples = np.concatenate([group + random.normal(0, 0.1, (20, 2, 2, 4)) for group in groups]).astype(np.float32)
    found = centres_of(samples, 3, 5)
    for group in groups:
        assert min(float(np.abs(entry - group).max()) for entry in found) < 0.2
    assert np.array_equal(found, centres_of(samples, 3, 5))
    with pytest.raises(ValueError, match="at least as many faces"):
        centres_of(samples[:2], 3, 5)


def lines(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_both_stages_learn_and_the_second_keeps_the_first_ones_encoder(faces: SharpFaces, tmp_path: Path) -> None:
    crops = tmp_path / "crops.npz"
    faces.save(crops)
    words = ["--faces", str(crops), "--batch", "2", "--widths", "8", "8", "8", "--rate", "3e-3", "--look", "10"]
    first, second = tmp_path / "first", tmp_path / "second"
    face_restorer.main([*words, "--stage", "encoder", "--out", str(first), "--steps", "20"])
    more = ["--stage", "dictionaries", "--start", str(first), "--entries", "3", "--out", str(second)]
    face_restorer.main([*words, *more, "--steps", "20"])
    assert [line["step"] for line in lines(second)] == ["10", "20"]
    begun, ended = lines(first)[0], lines(second)[-1]
    assert float(ended["ssim"]) > float(begun["ssim_before"])
    assert float(ended["ssim"]) > float(begun["ssim"])

    from ml.networks.face_restorer import FaceRestorerConfig, build_face_restorer

    one = build_face_restorer(FaceRestorerConfig(widths=(8, 8, 8), entries=0))
    two = build_face_restorer(FaceRestorerConfig(widths=(8, 8, 8), entries=3))
    one.set_weights(best_weights(first))
    two.set_weights(best_weights(second))
    for a, b in zip(one.get_layer("encoder").get_weights(), two.get_layer("encoder").get_weights(), strict=True):
        assert b == pytest.approx(a, abs=1e-6)
    entries = np.asarray(two.get_layer("dictionary.0.mouth").entries)
    assert entries.shape == (3, 20, 20, 8)
    assert np.abs(entries.mean(axis=(1, 2))).max() < 1e-3
    taken = np.asarray(two.get_layer("attention.0.mouth.conv2").kernel)
    assert np.abs(taken).max() > 0, "the attention has learned to take something"
    with pytest.raises(SystemExit, match="needs --start"):
        face_restorer.main([*words, "--stage", "dictionaries", "--out", str(tmp_path / "third")])


def test_the_dictionary_gives_the_entry_that_is_most_alike_with_the_crops_own_statistics() -> None:
    from ml.networks.face_restorer import Dictionary

    random = np.random.default_rng(3)
    entries = random.normal(0, 1, (5, 6, 6, 4)).astype(np.float32)
    layer = Dictionary(5, 6, 4)
    layer.set_entries(entries)
    crops = np.stack([entries[2] * 3 + 7, entries[4] * 0.5 - 2]) + random.normal(0, 0.05, (2, 6, 6, 4))
    crops = crops.astype(np.float32)
    made = np.asarray(layer(crops))
    assert np.abs(made - crops).max() < 0.3
    assert made.mean(axis=(1, 2)) == pytest.approx(crops.mean(axis=(1, 2)), abs=1e-3)


def test_parts_are_cut_where_they_are_between_pixels_too() -> None:
    from ml.networks.face_restorer import Window

    ramp = np.tile(np.arange(32, dtype=np.float32), (32, 1))  # the value of a cell is its column
    window = Window(4, 32, 4, 0)
    centres = np.array([[[4 * 10.5 - 0.5, 4 * 20 - 0.5]] * 4], np.float32)  # the middles of cells 9.5 to 10, and 19.5
    rows, columns = (np.asarray(each)[0] for each in window(centres))
    cut = rows @ ramp @ columns.T
    assert cut[0] == pytest.approx([8.5, 9.5, 10.5, 11.5])
    assert (rows @ ramp.T @ columns.T)[:, 0] == pytest.approx([18, 19, 20, 21])
