"""Training: the crops, the balance of batches, the same changes for both classes, and a short run that learns."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.faces import Square
from ml.training import dataset
from ml.training.augment import FULL, add_noise, augment, jpeg
from ml.training.batches import Batches
from ml.training.dataset import Row, Sample

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.training.loop import Run

POINTS = ((44.0, 50.0), (76.0, 50.0), (60.0, 66.0), (48.0, 82.0), (72.0, 82.0))
COLUMNS = ["path", "label", "set", "group", "native_face_px", "split"]
COLUMNS += [f"{axis}{i}" for i in range(5) for axis in "xy"] + ["valid_x0", "valid_y0", "valid_x1", "valid_y1"]


def drawn(number: int, fake: bool) -> NDArray[np.uint8]:
    """A soft blob on a ramp; the fake one wears stripes."""
    random = np.random.default_rng(number)
    y, x = np.mgrid[0:120, 0:120] / 120
    light = 90 + 60 * random.random() * x + 60 * np.exp(-((x - 0.5) ** 2 + (y - 0.55) ** 2) / 0.05)
    if fake:
        light = light + 45 * np.sin(x * 120 * 2 * np.pi / 10)
    colours = np.repeat(light[:, :, None], 3, axis=2) + random.normal(0, 4, (120, 120, 3))
    return np.clip(colours, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the research data's, of drawn pictures."""
    root = tmp_path_factory.mktemp("faces")
    with (root / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for number in range(36):
            fake = number % 2 == 1
            name = f"{number:02d}.png"
            Image.fromarray(drawn(number, fake)).save(root / name)
            line = dict(zip(COLUMNS, [name, "swap" if fake else "real", "drawn", f"g{number}", 60], strict=False))
            line["split"] = "val" if number >= 24 else "train"
            line |= {f"{axis}{i}": POINTS[i]["xy".index(axis)] for i in range(5) for axis in "xy"}
            line |= {"valid_x0": 10, "valid_y0": 0, "valid_x1": 120, "valid_y1": 120}
            writer.writerow(line)
    return root


def sample(name: str, manipulated: bool, group: str, number: int = 0) -> Sample:
    row = Row(f"{number}.png", "swap" if manipulated else "real", name, group, "train", 60.0, POINTS, (0, 0, 120, 120))
    return Sample(row, drawn(number, manipulated), Square(60, 60, 80))


def test_the_cache_holds_the_pixels_and_squares_of_the_split(faces: Path, tmp_path: Path) -> None:
    dataset.prepare(faces, tmp_path)
    train, val = dataset.load(tmp_path, "train"), dataset.load(tmp_path, "val")
    assert (len(train), len(val)) == (24, 12)
    assert sum(s.row.manipulated for s in train) == 12
    # No mesh is found in a drawing, so the square comes from the five points, and the pixels around it are kept.
    square = dataset.square_of_points(POINTS)
    first = train[0]
    assert first.square.side == pytest.approx(square.side)
    x0, y0 = round(square.cx - first.square.cx), round(square.cy - first.square.cy)
    height, width = first.pixels.shape[:2]
    assert np.array_equal(first.pixels, drawn(0, False)[y0 : y0 + height, x0 : x0 + width])
    # A second call with the same rows does nothing; other rows are prepared anew.
    written = (tmp_path / "crops.json").stat().st_mtime_ns
    dataset.prepare(faces, tmp_path)
    assert (tmp_path / "crops.json").stat().st_mtime_ns == written
    dataset.prepare(faces, tmp_path, dataset.read_index(faces / "index.csv")[:4])
    assert len(json.loads((tmp_path / "crops.json").read_text())) == 4


def test_mirror_shares_count_what_is_no_real_pixel(faces: Path, tmp_path: Path) -> None:
    dataset.prepare(faces, tmp_path)
    narrow, wide = dataset.mirror_shares(tmp_path, 1.0), dataset.mirror_shares(tmp_path, 1.6)
    assert narrow.keys() == {"drawn/real", "drawn/swap"}
    assert narrow["drawn/real"] < wide["drawn/real"] < 0.5
    assert wide["drawn/real"] == pytest.approx(wide["drawn/swap"])


def test_batches_are_balanced_and_reproducible() -> None:
    samples = [sample(name, fake, f"{name}{fake}{i}", i) for name in ("openforensics", "openforensics_extra",
               "mesonet_filmtv") for fake in (False, True) for i in range(3)]  # fmt: skip
    samples += [sample("youtube_faces", False, f"y{i}", i) for i in range(3)]
    batches = Batches(samples, 32, seed=1)
    pixels, labels = batches.at(5)
    assert pixels.shape == (32, 256, 256, 3)
    assert pixels.dtype == np.uint8
    assert float(labels.sum()) == 16
    again, _ = Batches(samples, 32, seed=1).at(5)
    assert np.array_equal(pixels, again)
    assert not np.array_equal(pixels, batches.at(6)[0])
    source = batches.from_step(5)
    assert np.array_equal(next(source)[0], pixels)
    source.close()


def test_long_videos_do_not_drown_short_ones() -> None:
    from ml.training.batches import group_weights

    pool = [sample("s", True, "long", i) for i in range(100)] + [sample("s", True, "short", i) for i in range(4)]
    weights = group_weights(pool)
    assert weights.sum() == pytest.approx(1)
    assert weights[:100].sum() / weights[100:].sum() == pytest.approx(5)  # 10 : 2, not 100 : 4


def test_batches_refuse_a_single_class() -> None:
    with pytest.raises(ValueError, match="real and manipulated"):
        Batches([sample("drawn", False, "g")], 8, seed=1)


def test_an_error_while_batches_are_made_reaches_the_trainer() -> None:
    broken = Sample(sample("drawn", True, "b").row, drawn(0, True), Square(900, 900, 10))
    batches = Batches([sample("drawn", False, "a"), broken], 4, seed=1)
    with pytest.raises(ValueError, match="outside the picture"):
        next(batches.from_step(0))


def test_augmentation_draws_the_same_for_both_classes() -> None:
    real, fake = sample("drawn", False, "a", 3), sample("drawn", True, "a", 3)
    flat = np.full_like(real.pixels, 128)
    # What is done depends on the generator alone: on equal pixels both classes come out equal.
    for seed in range(20):
        a = augment(flat, real.square, FULL, np.random.default_rng(seed))
        b = augment(flat.copy(), fake.square, FULL, np.random.default_rng(seed))
        assert np.array_equal(a, b)
        assert a.shape == (256, 256, 3)


def test_jpeg_and_noise_do_what_they_say() -> None:
    picture = drawn(4, True)
    worse, better = jpeg(picture, 10), jpeg(picture, 95)
    assert np.abs(worse.astype(int) - picture).mean() > np.abs(better.astype(int) - picture).mean() > 0
    noisy = add_noise(np.full((64, 64, 3), 128, np.uint8), 5, np.random.default_rng(1))
    assert noisy.astype(float).std() == pytest.approx(5, rel=0.05)


def test_patches_put_their_cells_where_they_belong() -> None:
    import tensorflow as tf

    from ml.training.patches import Placed, patch_of

    pixels = tf.reshape(tf.range(256 * 256 * 3), (1, 256, 256, 3))
    cells = tf.constant([1, 4])
    assert np.array_equal(patch_of(pixels, cells), pixels[:, 32:160, 128:256])
    place = Placed()
    maps = tf.ones((2, 4, 4, 3))
    place.at(cells)
    placed = np.asarray(place(maps))
    assert placed.shape == (2, 8, 8, 3)
    assert (placed[:, 1:5, 4:8] == 2).all()
    assert placed.sum() == pytest.approx(2 * 2 * 16 * 3)
    place.at(None)
    whole = tf.ones((2, 8, 8, 3))
    assert np.array_equal(place(whole), whole)


def test_the_schedule_rises_falls_and_ends() -> None:
    from ml.training.loop import Schedule

    by_steps = Schedule(1e-3, steps=1000)
    rates = [by_steps.at(step, 0) for step in range(1001)]
    assert rates[0] < rates[50] < rates[99]
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[-1] == pytest.approx(1e-5)
    assert Schedule(1e-3, seconds=60).done(10**9, 30) == 0.5


def test_a_short_run_learns_writes_and_goes_on(faces: Path, tmp_path: Path) -> None:
    from ml.training.mesonet import main
    from ml.weights.publish import main as publish
    from ml.weights.store import load

    def train(steps: int) -> list[dict[str, str]]:
        words = ["--network", "meso4", "--data", str(faces), "--work", str(tmp_path / "work"), "--out",
                 str(tmp_path / "run"), "--steps", str(steps), "--batch", "8", "--epoch-steps", "20", "--rate", "3e-3",
                 "--patches", "0.2"]  # fmt: skip
        assert main(words) == 0
        with (tmp_path / "run" / "log.csv").open() as file:
            return list(csv.DictReader(file))

    lines = train(20)
    assert [line["step"] for line in lines] == ["20"]
    lines = train(60)
    assert [line["step"] for line in lines] == ["20", "40", "60"]  # it went on and did not begin again
    assert float(lines[-1]["loss"]) < float(lines[0]["loss"])
    assert max(float(line["auc"]) for line in lines) > 0.8
    # What was trained can be shipped and answers as it did.
    manifest = tmp_path / "shipped" / "manifest.json"
    manifest.parent.mkdir()
    assert publish(["--network", "meso4", "--run", str(tmp_path / "run"), "--version", "1", "--manifest",
                    str(manifest)]) == 0  # fmt: skip
    model = load("meso4", manifest)
    pictures = np.stack([np.asarray(Image.fromarray(drawn(n, n % 2 == 1)).resize((256, 256))) for n in range(8)])
    logits = np.asarray(model(pictures.astype(np.float32) / 255))[:, 0]
    assert logits[1::2].mean() > logits[::2].mean()
    with pytest.raises(ValueError, match="holds a run of meso4"):
        main(["--network", "mesoinception4", "--data", str(faces), "--work", str(tmp_path / "work"), "--out",
              str(tmp_path / "run"), "--steps", "1"])  # fmt: skip


def tiny_run(folder: Path) -> Run:
    import keras

    from ml.training.loop import Run, Schedule

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    return Run("tiny", folder, Schedule(0.1, steps=9), model, keras.optimizers.Adam(0.1))


@pytest.mark.parametrize("told", ['{"network": "tiny", "st', '{"network": "tiny", "step": 1, "seconds": 1, "best": 0}'])
def test_a_run_that_was_killed_between_two_files_goes_on_from_one_of_them(tmp_path: Path, told: str) -> None:
    first = tiny_run(tmp_path)
    first.step, first.seconds = 7, 3.0
    first.look(lambda: {"auc": 0.75}, [0.5])
    (tmp_path / "run.json").write_text(told)
    second = tiny_run(tmp_path)
    assert (second.step, second.seconds, second.best) == (7, 3.0, 0.75)
    assert np.array_equal(second.model.get_weights()[0], first.model.get_weights()[0])


def test_a_run_of_before_goes_on_too(tmp_path: Path) -> None:
    first = tiny_run(tmp_path)
    first.step = 5
    first.look(lambda: {"auc": 0.75}, [0.5])
    with np.load(tmp_path / "state.npz") as state:
        arrays = {name: state[name] for name in state.files if name != "about"}
    np.savez(tmp_path / "state.npz", **arrays)
    assert tiny_run(tmp_path).step == 5
