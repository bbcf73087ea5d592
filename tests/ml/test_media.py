"""Decoding: every kind of file that people send, and every way in which one can be broken."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from ml.errors import MediaError
from ml.media import decode, encode_jpeg, encode_png
from ml.media import picture as picture_module

if TYPE_CHECKING:
    from pathlib import Path


def drawing(width: int = 60, height: int = 40) -> Image.Image:
    """Red on the left, blue on the right, a white bar along the top."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    pen = ImageDraw.Draw(image)
    pen.rectangle((width // 2, 0, width, height), fill=(30, 30, 200))
    pen.rectangle((0, 0, width, height // 8), fill=(255, 255, 255))
    return image


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def code_of(data: bytes | Path) -> str:
    with pytest.raises(MediaError) as caught:
        decode(data)
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) > 20
    return caught.value.code


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_decodes_each_accepted_format(form: str) -> None:
    data = saved(drawing(), form, **({"quality": 95} if form != "PNG" else {}))
    picture = decode(data)
    assert (picture.width, picture.height, picture.format) == (60, 40, form)
    assert picture.bytes == len(data)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (40, 60, 3)
    assert np.abs(picture.pixels[30, 10].astype(int) - (200, 30, 30)).max() < 20
    assert bool(picture.jpeg_tables) == (form == "JPEG")


def test_reads_a_path_and_hashes_the_file_as_given(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "a.png"
    path.write_bytes(saved(drawing(), "PNG"))
    assert decode(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    upright = np.asarray(drawing(64, 48))
    inverse = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(np.ascontiguousarray(inverse)), "PNG", exif=exif)
    assert np.array_equal(decode(data).pixels, upright)


def test_grey_sixteen_bit_keeps_its_tones() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    pixels = decode(saved(Image.fromarray(ramp), "PNG")).pixels
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_palette_grey_and_bilevel() -> None:
    for mode in ("P", "L", "1", "LA"):
        assert decode(saved(drawing().convert(mode), "PNG")).pixels.shape == (40, 60, 3)


def test_alpha_lies_over_white() -> None:
    image = drawing().convert("RGBA")
    image.putalpha(0)
    assert (decode(saved(image, "PNG")).pixels == 255).all()
    half = drawing().convert("RGBA")
    half.putalpha(128)
    assert np.abs(decode(saved(half, "PNG")).pixels[30, 10].astype(int) - (227, 142, 142)).max() <= 1


def test_cmyk_jpeg_has_its_colours() -> None:
    picture = decode(saved(drawing().convert("CMYK"), "JPEG", quality=95))
    assert picture.original_mode == "CMYK"
    assert np.abs(picture.pixels[30, 10].astype(int) - (200, 30, 30)).max() < 25


def test_colour_profile_is_applied() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = decode(saved(drawing(), "PNG")).pixels
    assert np.array_equal(decode(saved(drawing(), "PNG", icc_profile=lab)).pixels, plain)
    assert np.array_equal(decode(saved(drawing(), "PNG", icc_profile=b"broken" * 50)).pixels, plain)
    wide = wide_gamut_profile()
    moved = decode(saved(drawing(), "PNG", icc_profile=wide)).pixels
    red = moved[30, 10].astype(int)
    assert red[0] > 210, "the same numbers in a wider gamut are a redder red in sRGB"


def wide_gamut_profile() -> bytes:
    """A minimal matrix/TRC display profile with Adobe RGB's primaries, put together by hand."""

    def s15(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(s15, values))

    text = b"Wide RGB\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78,
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        **{name: b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) for name in (b"rTRC", b"gTRC", b"bTRC")},
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    head = bytearray(128)
    head[0:4] = struct.pack(">I", start + len(body))
    head[8:12] = b"\x02\x10\0\0"
    head[12:24] = b"mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = s15(0.9642) + s15(1.0) + s15(0.8249)
    return bytes(head) + table + body


def test_refusals_by_kind(tmp_path: Path) -> None:
    assert code_of(b"") == "empty"
    assert code_of(b"hello, I am no picture") == "not_an_image"
    assert code_of(saved(drawing(), "GIF")) == "unsupported_media"
    assert code_of(saved(drawing(), "TIFF")) == "unsupported_media"
    assert code_of(saved(drawing(), "BMP")) == "unsupported_media"
    assert code_of(saved(drawing(), "EPS")) == "unsupported_media"
    assert code_of(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>') == "unsupported_media"
    assert code_of(b"\0\0\0\x18ftypheic" + b"\0" * 20) == "unsupported_media"
    assert code_of(tmp_path / "nothing.jpg") == "unreadable"
    assert code_of(tmp_path) == "unreadable"


def test_a_foreign_file_behind_an_accepted_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(drawing(), "EPS"))
    assert code_of(path) == "unsupported_media"


def test_animated_is_refused() -> None:
    other = drawing().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for form in ("PNG", "WEBP"):
        assert code_of(saved(drawing(), form, save_all=True, append_images=[other])) == "animated"


def test_mpo_is_read_by_its_first_frame() -> None:
    data = saved(drawing(), "MPO", save_all=True, append_images=[drawing(30, 20)], quality=95)
    picture = decode(data)
    assert (picture.format, picture.width, picture.height) == ("MPO", 60, 40)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge; its pixels are not even there."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_pixel_limit_is_judged_from_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_of(bomb(8000, 5001)) == "too_many_pixels"  # just above ours, below Pillow's own warning
    assert code_of(bomb(12000, 12000)) == "too_many_pixels"  # Pillow warns
    assert code_of(bomb(30000, 30000)) == "too_many_pixels"  # Pillow refuses

    def never(*_: object, **__: object) -> None:
        raise AssertionError("opened by the decoder before its size was known")

    canvas = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (16382).to_bytes(3, "little") * 2
    webp = b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas
    monkeypatch.setattr(picture_module.Image, "open", never)
    assert code_of(webp) == "too_many_pixels"


def test_byte_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.write(saved(drawing(), "JPEG"))
        file.truncate(picture_module.MAX_BYTES + 1)
    assert code_of(path) == "too_large"
    assert code_of(b"\xff\xd8\xff" + b"\0" * picture_module.MAX_BYTES) == "too_large"


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (48, 64, 3), dtype=np.uint8))


VALID = {
    "JPEG": saved(noise(), "JPEG", quality=80),
    "progressive": saved(noise(), "JPEG", quality=80, progressive=True),
    "PNG": saved(noise(), "PNG"),
    "WEBP": saved(noise(), "WEBP", quality=80),
    "lossless": saved(noise(), "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("kept", [0.05, 0.3, 0.5, 0.8, 0.95, 0.999])
def test_truncated_is_said_to_be_so(name: str, kept: float) -> None:
    data = VALID[name]
    decode(data)
    assert code_of(data[: int(len(data) * kept)]) == "truncated"


def survives(data: bytes) -> None:
    try:
        picture = decode(data)
    except MediaError:
        return
    assert picture.pixels.shape == (picture.height, picture.width, 3)


fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@fuzz
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x30\0\0\0WEBP"]), st.binary(max_size=300))
def test_random_bytes_raise_nothing_else(start: bytes, rest: bytes) -> None:
    survives(start + rest)


@fuzz
@given(st.sampled_from(sorted(VALID)), st.data())
def test_damage_raises_nothing_else(name: str, data: st.DataObject) -> None:
    damaged = bytearray(VALID[name])
    for at in data.draw(st.lists(st.integers(0, min(len(damaged) - 1, 900)), max_size=6)):
        damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    survives(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))
    survives(bytes(damaged))


def test_what_is_written_carries_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x8825] = {1: "N", 2: (51.0, 30.0, 0.0)}
    pixels = decode(saved(drawing(), "JPEG", exif=exif, comment=b"secret note")).pixels
    for written in (encode_jpeg(pixels), encode_png(pixels)):
        assert b"ecret" not in written
        assert not Image.open(io.BytesIO(written)).getexif()
        assert np.abs(decode(written).pixels.astype(int) - pixels).mean() < 4


def test_the_error_keeps_its_code_between_processes() -> None:
    import pickle

    again = pickle.loads(pickle.dumps(MediaError("empty", "The file is empty.")))  # noqa: S301
    assert (again.code, again.message) == ("empty", "The file is empty.")
