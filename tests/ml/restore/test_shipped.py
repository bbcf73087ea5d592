"""The shipped enhancement networks load, answer what they answered, and keep their figures on the benchmarks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ml.restore import neural, shipped
from ml.restore.fidelity import luma, psnr, ssim
from ml.restore.resample import matrix, resampled_bytes
from ml.restore.tiling import run_tiled
from ml.weights import MANIFEST, WeightsError, entries
from ml.weights.answers import TOLERANCE, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def test_upscalers_are_shipped() -> None:
    assert {"compact_x2", "compact_x4"} <= set(shipped.available())


@pytest.mark.parametrize("name", shipped.available())
def test_networks_answer_what_they_answered_when_they_were_published(name: str) -> None:
    expected = recorded(name)
    assert len(expected) == 8
    assert shipped.answer(shipped.warm(name)) == pytest.approx(expected, abs=TOLERANCE)
    assert shipped.answer(shipped.build(name)) != pytest.approx(expected, abs=TOLERANCE)


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    for path in (MANIFEST, MANIFEST.parent / entries()["compact_x2"].file):
        shutil.copy(path, tmp_path / path.name)
    manifest = tmp_path / MANIFEST.name
    weights = tmp_path / entries()["compact_x2"].file
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="not the file that the manifest names"):
        shipped.load("compact_x2", manifest)
    weights.unlink()
    with pytest.raises(WeightsError, match="missing"):
        shipped.load("compact_x2", manifest)
    with pytest.raises(WeightsError, match="no enhancement network"):
        shipped.load("meso4")


FLOORS = {2: 3.2, 4: 2.2}
"""dB over bicubic on Set5 (Y) that the shipped weights must keep, a little under what was measured."""


@pytest.mark.parametrize("scale", FLOORS)
def test_the_upscalers_keep_their_psnr_on_set5(scale: int, shared_data: Path) -> None:
    folder = shared_data / "natural" / "benchmarks" / "Set5"
    if not folder.is_dir():
        pytest.skip(f"no Set5 in {shared_data}")
    gains, bicubics = [], []
    for path in sorted(folder.glob("*.png")):
        truth = np.asarray(Image.open(path).convert("RGB"))
        height, width = truth.shape[:2]
        small = resampled_bytes(truth, height // scale, width // scale)
        made = run_tiled(neural.upscaler(scale, 1.0), small)
        bicubics.append(psnr(luma(resampled_bytes(small, height, width)), luma(truth), scale))
        gains.append(psnr(luma(made), luma(truth), scale) - bicubics[-1])
    assert np.mean(bicubics) == pytest.approx({2: 33.66, 4: 28.42}[scale], abs=0.05), "as published"
    assert np.mean(gains) >= FLOORS[scale]


def test_bicubic_is_matlabs(astronaut: NDArray[np.uint8]) -> None:
    # Keys' kernel at distances of .25 to 1.75, which imresize stretches and halves when it halves the size.
    taps = [-0.01171875, -0.03515625, 0.11328125, 0.43359375]
    assert matrix(16, 8)[3, 3:11] == pytest.approx([*taps, *taps[::-1]], abs=1e-6)
    assert matrix(4, 8)[4] == pytest.approx([-0.0234375, 0.2265625, 0.8671875, -0.0703125], abs=1e-6)
    assert matrix(7, 3).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert np.array_equal(resampled_bytes(astronaut[:9, :7], 9, 7), astronaut[:9, :7])


def test_fidelity_of_known_pictures(astronaut: NDArray[np.uint8]) -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    noisy = np.clip(astronaut + np.random.default_rng(1).normal(0, 9, astronaut.shape), 0, 255).astype(np.uint8)
    assert psnr(astronaut, noisy) == pytest.approx(peak_signal_noise_ratio(astronaut, noisy), abs=1e-6)
    a, b = luma(astronaut), luma(noisy)
    theirs = structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, win_size=11
    )
    assert ssim(a, b) == pytest.approx(theirs, abs=2e-3)
    assert psnr(a, a) == float("inf")
    assert ssim(a, a) == pytest.approx(1)
    with pytest.raises(ValueError, match="11 x 11"):
        ssim(a[:10, :10], b[:10, :10])


def test_the_slider_of_esrgan_goes_from_one_weight_set_to_the_other(astronaut: NDArray[np.uint8]) -> None:
    small = resampled_bytes(astronaut[40:200, 140:300], 40, 40)
    inputs = small.astype(np.float32) / 255
    wide = np.pad(inputs, ((8, 8), (8, 8), (0, 0)), mode="edge")[None]
    ends = [np.asarray(shipped.warm(n)(wide))[0, 32:-32, 32:-32] for n in ("esrgan_psnr_x4", "esrgan_gan_x4")]
    made = [neural.esrgan(share)(inputs) for share in (0.0, 1.0, 0.5)]
    assert np.abs(made[0] - ends[0]).max() < 1e-4
    assert np.abs(made[1] - ends[1]).max() < 1e-4
    assert np.abs(ends[0] - ends[1]).max() > 0.01, "the two say different things"
    assert np.abs(made[2] - made[0]).max() > 1e-3
    assert np.abs(made[2] - made[1]).max() > 1e-3


def test_a_seam_between_tiles_of_esrgan_is_not_seen(astronaut: NDArray[np.uint8]) -> None:
    picture = np.ascontiguousarray(astronaut[40:200, 100:240])  # two tiles by two
    worker = replace(neural.esrgan(1.0), tile=128)
    apart = np.abs(run_tiled(worker, picture).astype(int) - run_tiled(worker, picture, whole=True))
    assert apart.max() <= 1
