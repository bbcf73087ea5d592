"""Training the synthesis detector: generators made here, their renderings, like sizes, a run that learns."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.training import dataset, renders
from ml.training.generators import KINDS, RATE, build, cleaned, render, resampled, traced, train
from ml.training.loop import Schedule
from ml.training.synthesis_batches import Renderings
from tests.ml.drawn_faces import drawn, write_faces

if TYPE_CHECKING:
    from pathlib import Path

    from ml.training.dataset import Sample


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Pictures, some of them called synthetic, and their prepared crops."""
    faces = write_faces(tmp_path_factory.mktemp("faces"), fakes="synthetic")
    work = tmp_path_factory.mktemp("work")
    dataset.prepare(faces, work)
    return faces, work


@pytest.fixture(scope="module")
def samples(folders: tuple[Path, Path]) -> list[Sample]:
    return dataset.load(folders[1], "train")


@pytest.mark.parametrize("kind", KINDS)
def test_every_autoencoder_keeps_the_size_of_a_picture(kind: str) -> None:
    picture = drawn(1)[:61, :83]
    made = render(traced(build(kind)), picture)
    assert made.shape == picture.shape
    assert made.dtype == np.uint8


def test_an_autoencoder_comes_nearer_the_longer_it_learns(samples: list[Sample]) -> None:
    _, early = train("nearest", samples, Schedule(RATE, steps=3))
    _, late = train("nearest", samples, Schedule(RATE, steps=30))
    assert late < early


def test_resampling_keeps_the_picture_and_leaves_a_grid() -> None:
    picture = np.full((64, 64, 3), 120, np.uint8)
    shift = [float(np.abs(resampled(picture, np.random.default_rng(s))[8:-8, 8:-8].astype(int) - 120).mean())
             for s in range(8)]  # fmt: skip
    assert max(shift) < 4  # flat stays flat, apart from the trace
    assert max(shift) > 0
    face = drawn(2)
    made = resampled(face, np.random.default_rng(5))
    assert made.shape == face.shape
    assert 0.5 < np.abs(made.astype(int) - face).mean() < 25


def test_cleaning_takes_the_grain_and_leaves_the_edges() -> None:
    random = np.random.default_rng(3)
    picture = np.full((80, 80, 3), 60, np.uint8)
    picture[:, 40:] = 190
    noisy = np.clip(picture + random.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    made = cleaned(noisy, np.random.default_rng(1)).astype(float)
    assert made[10:70, 5:30].std() < 0.8 * noisy[10:70, 5:30].astype(float).std()
    assert made[:, 42:46].mean() - made[:, 34:38].mean() > 110


def test_portraits_are_brought_to_the_size_of_the_reals(samples: list[Sample]) -> None:
    small = renders.matched(samples[0], 60.0)
    assert small.square.side == pytest.approx(60.0)
    assert small.pixels.shape[0] < samples[0].pixels.shape[0]
    # Nothing is enlarged.
    assert renders.matched(samples[0], 1e4).square.side == samples[0].square.side


def test_a_rendering_keeps_tones_and_gets_detail_back() -> None:
    real = drawn(4)
    sepia = np.clip(np.asarray(real, float) * [0.6, 0.5, 0.3] + 40, 0, 255).astype(np.uint8)
    near, nearer = (renders.nearer(real, sepia, amount) for amount in (1.0, 0.3))
    assert np.abs(near.astype(float) - real).mean() < 0.4 * np.abs(sepia.astype(float) - real).mean()
    assert np.abs(nearer.astype(float) - real).mean() < np.abs(near.astype(float) - real).mean()
    assert np.array_equal(renders.nearer(real, real, 1.0), real)


def test_batches_hold_pairs_of_both_classes(samples: list[Sample]) -> None:
    reals = [s for s in samples if not s.row.manipulated]
    rendered = {"nearest": [(s, 255 - np.asarray(s.pixels)) for s in reals]}
    source = Renderings(reals, rendered, [s for s in samples if s.row.manipulated], 64, seed=2)
    batch = source.at(3)
    assert batch.pixels.shape == (64, 128, 128, 3)
    assert batch.labels.mean() == pytest.approx(0.5)
    assert np.array_equal(batch.pixels, source.at(3).pixels)
    with pytest.raises(ValueError, match="even"):
        Renderings(reals, {}, [], 7, seed=2)


def test_a_short_run_learns_writes_and_goes_on(folders: tuple[Path, Path], samples: list[Sample],
                                               tmp_path: Path) -> None:  # fmt: skip
    from ml.training.synthesis import main

    faces, work = folders
    generators, made = tmp_path / "generators", tmp_path / "renders"
    generators.mkdir()
    for kind in KINDS:
        build(kind).save_weights(generators / f"{kind}.weights.h5")  # untrained: what they render is plain to see
    words = ["--data", str(faces), "--work", str(work)]
    assert renders.main([*words, "--generators", str(generators), "--out", str(made), "--count", "20"]) == 0
    found = renders.read(made, "nearest", samples, "train")
    assert all(sample.pixels.shape == picture.shape for sample, picture in found)

    def run(steps: int) -> list[dict[str, str]]:
        more = ["--renders", str(made), "--out", str(tmp_path / "run"), "--steps", str(steps)]
        assert main([*words, *more, "--batch", "16", "--epoch-steps", "10", "--precision", "float32"]) == 0
        with (tmp_path / "run" / "log.csv").open() as file:
            return list(csv.DictReader(file))

    assert [line["step"] for line in run(10)] == ["10"]
    lines = run(30)
    assert [line["step"] for line in lines] == ["10", "20", "30"]
    # What was left out is measured beside what was trained on.
    assert {"auc_shuffle", "auc_portraits", "auc_resampled", "auc_cleaned"} <= set(lines[-1])


def test_steps_on_one_batch_learn_it(samples: list[Sample], tmp_path: Path) -> None:
    from ml.training.loop import Schedule
    from ml.training.synthesis import loss_of
    from ml.training.tracing import TraceRun

    batch = Renderings([s for s in samples if not s.row.manipulated], {}, [], 16, seed=5).at(0)
    run = TraceRun("synthesis", tmp_path, Schedule(2e-3, steps=20), loss_of, precision="float32")
    run.optimizer.learning_rate.assign(2e-3)
    losses = [run.learn(batch) for _ in range(30)]
    assert min(losses[-5:]) < 0.6 * losses[0], losses


def test_a_run_can_begin_with_the_boundary_detectors_trunk() -> None:
    import keras

    from ml.training.tracing import build as build_detector
    from ml.training.tracing import take_trunk

    start, model = build_detector("boundary"), build_detector("synthesis")
    copied = take_trunk(model, start)
    assert copied == sum(1 for layer in model.layers if layer.weights) - 1  # all but the verdict

    def features(network: keras.Model) -> np.ndarray:
        pools = [layer for layer in network.layers if layer.__class__.__name__ == "GlobalMaxPooling2D"]
        output = next(layer.output for layer in pools if layer.output.shape[-1] == 160)
        pixels = np.random.default_rng(1).random((1, 128, 128, 3), np.float32)
        return np.asarray(keras.Model(network.inputs[0], output)(pixels))

    assert features(model) == pytest.approx(features(start), abs=1e-6)
