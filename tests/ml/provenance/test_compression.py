"""How JPEGs were saved, read back from files of known settings."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.provenance import quantisation
from ml.provenance.containers import parts_of
from ml.provenance.quantisation import Style, quantisation_tables, read_compression
from tests.ml.provenance.signed_files import drawing, encoded

if TYPE_CHECKING:
    from tests.ml.provenance.conftest import Read


@pytest.mark.parametrize("quality", [1, 5, 30, 49, 50, 51, 75, 90, 95, 100])
def test_the_quality_of_standard_tables_is_exact(read: Read, quality: int) -> None:
    found = read(encoded(quality=quality)).compression
    assert found is not None
    assert (found.quality, found.exact, found.style) == (quality, True, Style.STANDARD)


@pytest.mark.parametrize(("subsampling", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
@pytest.mark.parametrize("progressive", [False, True])
def test_chroma_and_scans(read: Read, subsampling: int, name: str, progressive: bool) -> None:
    found = read(encoded(quality=80, subsampling=subsampling, progressive=progressive)).compression
    assert found is not None
    assert (found.chroma, found.progressive) == (name, progressive)


def test_other_writers_agree(read: Read) -> None:
    pixels = np.asarray(drawing())[..., ::-1]
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 83])
    found = read(data.tobytes()).compression
    assert found is not None
    assert (found.quality, found.style) == (83, Style.STANDARD)


def test_grey_has_no_chroma(read: Read) -> None:
    found = read(encoded(drawing().convert("L"), quality=70)).compression
    assert found is not None
    assert (found.chroma, found.quality, found.tables) == ("", 70, 1)


def test_tables_are_read_as_pillow_reads_them() -> None:
    data = encoded(quality=42)
    ours = quantisation_tables(parts_of(data, "JPEG").markers)
    theirs = Image.open(io.BytesIO(data)).quantization
    assert {number: list(table) for number, table in ours.items()} == theirs


def own_tables(scale: float) -> list[list[int]]:
    base = np.linspace(4, 60, 64)
    return [np.clip(np.rint(base * scale), 1, 255).astype(int).tolist()] * 2


def test_tables_of_their_own_get_the_nearest_strength(read: Read) -> None:
    weak, strong = (read(encoded(qtables=own_tables(scale))).compression for scale in (0.2, 3.0))
    assert weak is not None
    assert strong is not None
    for found in (weak, strong):
        assert (found.style, found.exact) == (Style.OWN, False)
    assert weak.quality is not None
    assert strong.quality is not None
    assert weak.quality > 80 > 50 > strong.quality


def test_the_tables_of_mozjpeg_are_known(read: Read) -> None:
    tables = [list(quantisation._scaled(quantisation._MOZJPEG, 60))] * 2
    found = read(encoded(qtables=tables)).compression
    assert found is not None
    assert (found.style, found.quality, found.exact) == (Style.MOZJPEG, 60, True)


def test_luminance_and_chrominance_of_two_strengths(read: Read) -> None:
    tables = [
        list(quantisation._scaled(quantisation._LUMINANCE, 90)),
        list(quantisation._scaled(quantisation._CHROMINANCE, 60)),
    ]
    found = read(encoded(qtables=tables)).compression
    assert found is not None
    assert (found.style, found.quality) == (Style.STANDARD_MIXED, 90)


def test_the_marks_of_adobe(read: Read) -> None:
    data = encoded(qtables=own_tables(0.5))
    marked = data[:2] + b"\xff\xec\x00\x0aDucky\0\1\0" + data[2:]
    found = read(marked).compression
    assert found is not None
    assert found.style is Style.ADOBE
    standard = encoded(quality=75)
    found = read(standard[:2] + b"\xff\xec\x00\x0aDucky\0\1\0" + standard[2:]).compression
    assert found is not None
    assert found.style is Style.STANDARD


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_only_jpegs_have_it(read: Read, form: str) -> None:
    assert read(encoded(form=form)).compression is None


@pytest.mark.parametrize(
    "markers",
    [
        [],
        [(0xDB, b"")],
        [(0xDB, b"\0" + bytes(10))],
        [(0xDB, b"\xf0" + bytes(200))],
        [(0xDB, b"\0" + bytes(64)), (0xC0, b"\x08\0\1\0\1\x03")],
        [(0xDB, b"\0" + bytes(64)), (0xC0, b"\x08\0\1\0\1\x03" + bytes(9))],
        [(0xDB, b"\1" + bytes(64))],
    ],
)
def test_broken_headers_raise_nothing(markers: list[tuple[int, bytes]]) -> None:
    found = read_compression(markers)
    assert found is None or found.tables >= 1
