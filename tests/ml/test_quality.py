"""Quality: sharpness falls with blur and not with contrast or size; JPEG quality is read back from the tables."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.detect import quality
from ml.media import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def crop(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(astronaut[60:220, 145:305], (256, 256), interpolation=cv2.INTER_AREA))


def test_sharpness_falls_with_blur(crop: NDArray[np.uint8]) -> None:
    values = [quality.sharpness(cv2.GaussianBlur(crop, (0, 0), sigma)) for sigma in (0.1, 3, 6, 12, 24)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 20 * values[3]


def test_sharpness_is_free_of_contrast_and_enlargement(crop: NDArray[np.uint8]) -> None:
    sharp = quality.sharpness(crop)
    faint = (crop * 0.4 + 90).astype(np.uint8)
    assert quality.sharpness(faint) == pytest.approx(sharp, rel=0.1)
    small = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA)
    enlarged = quality.sharpness(cv2.resize(small, (256, 256)))
    assert enlarged > 0.3 * sharp
    assert enlarged > 5 * quality.sharpness(cv2.GaussianBlur(crop, (0, 0), 12))


def test_flat_is_not_sharp_and_noise_is() -> None:
    assert quality.sharpness(np.full((64, 64, 3), 77, np.uint8)) == 0.0
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 1), dtype=np.uint8).repeat(3, 2)
    assert quality.sharpness(noise) == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("setting", [10, 30, 50, 70, 85, 95])
def test_jpeg_quality_is_read_back(setting: int, crop: NDArray[np.uint8]) -> None:
    out = io.BytesIO()
    Image.fromarray(crop).save(out, "JPEG", quality=setting)
    found = quality.jpeg_quality(decode(out.getvalue()).jpeg_tables)
    assert found is not None
    assert abs(found - setting) <= 1


def test_jpeg_quality_at_the_ends_and_without_tables() -> None:
    assert quality.jpeg_quality(()) is None
    assert quality.jpeg_quality(((1,) * 64,)) == 100
    assert quality.jpeg_quality(((255,) * 64,)) == 1


@pytest.mark.parametrize(("yaw", "words"), [(-5, "frontal"), (30, "three-quarter"), (-60, "profile")])
def test_turn(yaw: float, words: str) -> None:
    assert quality.turn(yaw) == words
