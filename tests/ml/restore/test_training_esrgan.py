"""The slim ESRGAN's two trainings, and what they are measured by."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.restore import perceptual
from ml.training import esrgan
from ml.training.restorer_run import best_weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from skimage import data

    root = tmp_path_factory.mktemp("natural")
    (root / "bsds500").mkdir()
    for number in range(4):
        cut = data.astronaut()[40 * number : 40 * number + 120, 100:260]
        name = f"train_{number}.jpg" if number < 3 else f"test_{number}.jpg"
        Image.fromarray(cut).save(root / "bsds500" / name, quality=95)
    return root


def lines(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_first_the_error_falls_then_the_adversary_is_met_and_a_stopped_run_goes_on(
    photographs: Path, tmp_path: Path
) -> None:
    words = ["--data", str(photographs), "--batch", "4", "--side", "12", "--features", "8", "--blocks", "1"]
    words += ["--growth", "4", "--look", "10", "--base", "none"]
    first, second = tmp_path / "psnr", tmp_path / "gan"
    esrgan.main([*words, "--stage", "psnr", "--out", str(first), "--steps", "30", "--rate", "3e-3"])
    begun, ended = lines(first)[0], lines(first)[-1]
    assert float(ended["loss"]) < 0.95 * float(begun["loss"])
    more = [*words, "--stage", "gan", "--start", str(first), "--out", str(second)]
    esrgan.main([*more, "--steps", "10"])
    esrgan.main([*more, "--steps", "20"])
    assert [line["step"] for line in lines(second)] == ["10", "20"]
    with np.load(second / "state.npz") as state:
        assert any(key.startswith("x") for key in state.files), "the discriminator goes on too"
    apart = [np.abs(a - b).max() for a, b in zip(best_weights(first), best_weights(second), strict=True)]
    assert 0 < max(apart) < 0.1, "the second begins as the first and does not run away"
    with pytest.raises(SystemExit, match="needs --start"):
        esrgan.main([*words, "--stage", "gan", "--out", str(tmp_path / "third")])


def test_the_relativistic_loss() -> None:
    from ml.training.adversarial_run import relativistic

    equal = np.zeros((3, 1), np.float32)
    assert float(relativistic(equal, equal)) == pytest.approx(math.log(2))
    assert float(relativistic(equal + 9, equal)) < 0.01
    assert float(relativistic(equal, equal + 9)) > 8


def test_the_slim_network_begins_as_bicubic_interpolation() -> None:
    from ml.networks.rrdbnet import build_slim_rrdb
    from ml.restore.resample import resample

    picture = np.random.default_rng(2).random((16, 20, 3)).astype(np.float32)
    made = np.asarray(build_slim_rrdb(features=8, blocks=1, growth=4)(picture[None]))[0]
    plain = resample(picture, 64, 80)
    assert np.abs(made - plain)[12:-12, 12:-12].max() < 1e-4


def test_what_looks_different_is_further_apart(astronaut: NDArray[np.uint8]) -> None:
    truth = astronaut[:160, 120:320]
    soft = [np.asarray(cv2.GaussianBlur(truth, (0, 0), sigma), np.uint8) for sigma in (0.7, 1.5, 3.0)]
    apart = [perceptual.distance(each, truth) for each in soft]
    assert perceptual.distance(truth, truth) == pytest.approx(0, abs=1e-6)
    assert 0 < apart[0] < apart[1] < apart[2]  # type: ignore[operator]
    lighter = np.clip(truth.astype(int) + 8, 0, 255).astype(np.uint8)
    assert perceptual.distance(lighter, truth) < apart[0]  # type: ignore[operator]
    assert perceptual.distance(truth[:7], truth[:7]) is None
