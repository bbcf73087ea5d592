"""The shipped weights are the manifest's, load on any machine, answer what they answered, and are good enough."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest

from ml.networks.mesonet import DETECTORS, build
from ml.weights import MANIFEST, WeightsError, entries, load, weights_version
from ml.weights.answers import TOLERANCE, probes, record, recorded
from ml.weights.store import pack, publish, unpack

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024


def test_every_shipped_network_has_its_file_and_its_card() -> None:
    found = entries()
    assert set(DETECTORS) <= set(found)
    total = 0
    for entry in found.values():
        size = (MANIFEST.parent / entry.file).stat().st_size
        assert size <= 15 * MEBIBYTE
        total += size
        card = (MANIFEST.parent / entry.card).read_text(encoding="utf-8")
        for word in ("## Data", "## Run", "## Figures", "## Known failures", entry.sha256):
            assert word in card, f"{entry.card} lacks {word!r}"
    assert total <= 60 * MEBIBYTE


def test_the_version_names_the_very_files(tmp_path: Path) -> None:
    manifest = _copy(tmp_path)
    before = weights_version(manifest)
    assert before == weights_version()
    keras.utils.set_random_seed(7)
    publish("meso4", build("meso4").get_weights(), "2026.11.1", manifest)
    assert weights_version(manifest) != before


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    manifest = _copy(tmp_path)
    path = manifest.parent / entries(manifest)["meso4"].file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="not the file that the manifest names"):
        load("meso4", manifest)
    path.unlink()
    with pytest.raises(WeightsError, match="missing"):
        load("meso4", manifest)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    manifest = _copy(tmp_path)
    content = {name: asdict(entry) for name, entry in entries(manifest).items()}
    content["meso4"] = content["mesoinception4"]
    manifest.write_text(json.dumps(content))
    with pytest.raises(WeightsError, match="does not fit meso4"):
        load("meso4", manifest)
    with pytest.raises(WeightsError, match="no weights called"):
        load("xception", manifest)
    manifest.write_text("[]")
    with pytest.raises(WeightsError, match="cannot be read"):
        entries(manifest)


def test_packing_keeps_vectors_whole_and_kernels_to_half_precision() -> None:
    random = np.random.default_rng(8)
    arrays = [random.normal(0, 0.1, (5, 5, 3, 8)).astype(np.float32), random.normal(0, 9, 8).astype(np.float32)]
    data = pack(arrays)
    kernel, vector = unpack(data)
    assert np.array_equal(vector, arrays[1])
    assert kernel == pytest.approx(arrays[0], rel=1e-3, abs=1e-6)
    assert pack(arrays) == data
    with pytest.raises(WeightsError, match="not a weight file"):
        unpack(b"PK nonsense")
    with pytest.raises(WeightsError, match="not all finite"):
        unpack(pack([np.array([np.nan], np.float32)]))


@pytest.mark.parametrize("name", DETECTORS)
def test_the_shipped_networks_answer_what_they_answered_when_they_were_published(name: str) -> None:
    expected = recorded(name)
    assert len(expected) == 3
    assert np.asarray(load(name)(probes()))[:, 0] == pytest.approx(expected, abs=TOLERANCE)
    # The probes must tell weights apart: a network of another start answers otherwise.
    keras.utils.set_random_seed(9)
    assert np.asarray(build(name)(probes()))[:, 0] != pytest.approx(expected, abs=TOLERANCE)


def test_answers_are_recorded_per_network(tmp_path: Path) -> None:
    manifest = _copy(tmp_path)
    assert record("meso4", manifest) == pytest.approx(recorded("meso4", manifest), abs=1e-5)
    with pytest.raises(KeyError):
        recorded("mesoinception4", manifest)


FLOORS = {"openforensics": 0.89, "mesonet_filmtv": 0.64}
"""AUC that the shipped weights must keep on the val split, a little under what the evaluation measured."""


@pytest.mark.slow
def test_the_shipped_weights_keep_their_accuracy_on_the_val_split(shared_data: Path) -> None:
    """Every third val face, by the product's own finder, crop and predictor."""
    from ml.detect.predictor import Predictor
    from ml.evaluate.metrics import auc
    from ml.evaluate.rows import read_rows
    from ml.evaluate.scoring import score
    from ml.evaluate.subjects import find_subjects

    index = shared_data / "faces" / "index.csv"
    if not index.is_file():
        pytest.skip(f"no faces in {shared_data}")
    rows = [row for row in read_rows(index, split="val") if row.set in FLOORS][::3]
    subjects, missing = find_subjects(rows)
    assert len(missing) < 0.03 * len(rows)
    scores = score(subjects, Predictor.shipped()).plain
    labels = np.array([s.row.manipulated for s in subjects])
    sets = np.array([s.row.set for s in subjects])
    for name in DETECTORS:
        for kind, floor in FLOORS.items():
            found = auc(labels[sets == kind], scores[name][sets == kind])
            assert found >= floor, f"{name} on {kind}: {found:.3f}"


def _copy(folder: Path) -> Path:
    for path in (MANIFEST, *(MANIFEST.parent / entry.file for entry in entries().values())):
        shutil.copy(path, folder / path.name)
    return folder / MANIFEST.name
