"""Training the boundary detector: the networks' shapes, balanced batches, batches made ahead, a run that learns."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.training import dataset, stock
from ml.training.pairs import Batch, Pairs, held_out
from tests.ml.drawn_faces import write_faces

if TYPE_CHECKING:
    from pathlib import Path

    from ml.training.dataset import Sample


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Pictures and their prepared crops."""
    faces = write_faces(tmp_path_factory.mktemp("faces"), fakes="swap")
    work = tmp_path_factory.mktemp("work")
    dataset.prepare(faces, work)
    return faces, work


@pytest.fixture(scope="module")
def samples(folders: tuple[Path, Path]) -> list[Sample]:
    return dataset.load(folders[1], "train")


def test_the_networks_take_the_square_that_they_name() -> None:
    from ml.networks import boundary, synthesis
    from ml.networks.detectors import NAMES, build, input_size, logit

    answer = boundary.build()(np.zeros((2, boundary.INPUT_SIZE, boundary.INPUT_SIZE, 3), np.float32))
    assert tuple(answer["logit"].shape) == (2, 1)
    assert tuple(answer["boundary"].shape) == (2, boundary.MAP_SIZE, boundary.MAP_SIZE, 1)
    assert input_size("synthesis") == synthesis.INPUT_SIZE
    for name in NAMES:
        size = input_size(name)
        assert tuple(logit(build(name)(np.zeros((1, size, size, 3), np.float32))).shape) == (1, 1)
    with pytest.raises(ValueError, match="no such network"):
        build("xception")


def test_batches_hold_both_classes_alike_and_depend_on_their_number_alone(samples: list[Sample]) -> None:
    pairs = Pairs(samples, 32, seed=3)
    batch = pairs.at(7)
    assert batch.pixels.shape == (32, 128, 128, 3)
    assert batch.labels.mean() == pytest.approx(0.5, abs=0.1)
    # A real has an empty map that is known, a blend has a seam, and of a swap nothing is known.
    assert batch.maps[batch.labels[:, 0] == 0].max() == 0
    blends = (batch.labels[:, 0] == 1) & (batch.known[:, 0] == 1)
    assert blends.any()
    assert ((batch.maps[blends] > 100).sum(axis=(1, 2, 3)) > 10).mean() > 0.9
    assert (batch.known[:, 0] == 0).any()
    again = Pairs(samples, 32, seed=3).at(7)
    assert np.array_equal(batch.pixels, again.pixels)
    assert not np.array_equal(batch.pixels, pairs.at(8).pixels)


def test_a_fake_and_its_partner_differ_only_around_the_mask(samples: list[Sample]) -> None:
    batch, kinds = held_out(samples, 6)
    assert len(kinds) == 6
    fakes, reals = batch.pixels[0::2].astype(int), batch.pixels[1::2].astype(int)
    assert batch.labels[0::2].all()
    assert not batch.labels[1::2].any()
    # The corners of the square are far from every mask: there the pair is the same picture.
    assert np.array_equal(fakes[:, :6, :6], reals[:, :6, :6])
    assert (np.abs(fakes - reals).max(axis=(1, 2, 3)) > 3).all()


def test_batches_made_ahead_are_the_batches(samples: list[Sample], tmp_path: Path) -> None:
    pairs = Pairs(samples, 8, seed=4)
    stock.fill(pairs, tmp_path, 0, 3)
    assert len(list(tmp_path.glob("*.npz"))) == 3
    source = stock.batches(pairs, tmp_path, Batch, 1)
    for number in (1, 2, 3):  # the last one was not made ahead
        batch = next(source)
        assert np.array_equal(batch.pixels, pairs.at(number).pixels)
        assert np.array_equal(batch.known, pairs.at(number).known)
    assert [path.name for path in tmp_path.glob("*.npz")] == ["0000000.npz"]


def test_a_short_run_learns_writes_and_goes_on(folders: tuple[Path, Path], tmp_path: Path) -> None:
    from ml.training.boundary import main
    from ml.weights.publish import main as publish
    from ml.weights.store import load

    faces, work = folders

    def train(steps: int) -> list[dict[str, str]]:
        words = ["--data", str(faces), "--work", str(work), "--out", str(tmp_path / "run"), "--steps", str(steps)]
        assert main([*words, "--batch", "16", "--epoch-steps", "10", "--precision", "float32"]) == 0
        with (tmp_path / "run" / "log.csv").open() as file:
            return list(csv.DictReader(file))

    assert [line["step"] for line in train(10)] == ["10"]
    lines = train(30)
    assert [line["step"] for line in lines] == ["10", "20", "30"]  # it went on and did not begin again
    assert float(lines[-1]["loss"]) < float(lines[0]["loss"])
    assert "map_ap" in lines[-1]
    assert "auc_blends" in lines[-1]
    # What was trained can be shipped, and the shipped network answers as the trained one.
    manifest = tmp_path / "manifest.json"
    words = ["--network", "boundary", "--run", str(tmp_path / "run"), "--version", "1", "--manifest", str(manifest)]
    assert publish(words) == 0
    answer = load("boundary", manifest)(np.random.default_rng(1).random((2, 128, 128, 3), np.float32))
    assert np.isfinite(np.asarray(answer["boundary"])).all()
    with pytest.raises(SystemExit):
        main(["--data", str(faces), "--work", str(work)])
