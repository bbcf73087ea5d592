"""Copies of a picture are found by its hash, and other pictures are not."""

from __future__ import annotations

import io
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ml.provenance import hash_distances
from ml.provenance.perceptual_hash import SAME_PICTURE, distance, perceptual_hash
from tests.ml.provenance.signed_files import drawing, encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.ml.provenance.conftest import Read


def saved(image: Image.Image, quality: int, form: str = "JPEG") -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, form, quality=quality)
    return Image.open(buffer).convert("RGB")


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 90": lambda image: saved(image, 90),
    "JPEG 50": lambda image: saved(image, 50),
    "JPEG 20": lambda image: saved(image, 20),
    "WebP 50": lambda image: saved(image, 50, "WEBP"),
    "three quarters": lambda image: scaled(image, 0.75),
    "half": lambda image: scaled(image, 0.5),
    "quarter": lambda image: scaled(image, 0.25),
    "twice": lambda image: scaled(image, 2),
    "half and JPEG 50": lambda image: saved(scaled(image, 0.5), 50),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
    "brighter": lambda image: image.point(lambda value: min(255, value + 20)),
}


def test_the_table_of_distances_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hash_distances.main([str(tmp_path)]) == 1
    for seed in range(3):
        drawing(seed, 64).save(tmp_path / f"{seed}.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (20, 20)).save(tmp_path / "black.png")
    assert hash_distances.main([str(tmp_path)]) == 0
    written = capsys.readouterr().out
    assert "3 pictures" in written
    assert "3 pairs of different pictures" in written
    assert all(f"| {name} |" in written for name in hash_distances.CHANGES)


@pytest.mark.parametrize("change", CHANGES)
def test_copies_stay_near(change: str, astronaut: NDArray[np.uint8]) -> None:
    for image in (Image.fromarray(astronaut), drawing(1, 256), drawing(2, 256)):
        copy = CHANGES[change](image)
        assert distance(perceptual_hash(np.asarray(image)), perceptual_hash(np.asarray(copy))) <= SAME_PICTURE // 2


def test_other_pictures_are_far(astronaut: NDArray[np.uint8]) -> None:
    pictures = [astronaut, *(np.asarray(drawing(seed, 256)) for seed in range(12))]
    hashes = [perceptual_hash(each) for each in pictures]
    assert min(distance(*pair) for pair in combinations(hashes, 2)) > SAME_PICTURE


def test_the_form_of_a_hash(read: Read) -> None:
    found = read(encoded(drawing(side=128))).perceptual_hash
    assert len(found) == 16
    assert 0 < int(found, 16) < 2**64
    assert distance(found, found) == 0
    assert distance("0" * 16, "f" * 16) == 64


def test_a_picture_of_one_colour_has_no_hash(read: Read) -> None:
    assert read(encoded(Image.new("RGB", (200, 100), "teal"))).perceptual_hash == ""
    with pytest.raises(ValueError, match="16 hexadecimal digits"):
        distance("", "0" * 16)


def test_extreme_shapes_have_hashes() -> None:
    row = np.tile(np.arange(0, 250, 5, dtype=np.uint8)[None, :, None], (1, 1, 3))
    assert len(perceptual_hash(row)) == 16
    assert len(perceptual_hash(row.transpose(1, 0, 2))) == 16


def test_the_turned_picture_is_hashed_upright(read: Read) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = drawing(side=128).transpose(Image.Transpose.ROTATE_180)
    upright = read(encoded(drawing(side=128))).perceptual_hash
    assert distance(read(encoded(turned, exif=exif)).perceptual_hash, upright) <= 2
