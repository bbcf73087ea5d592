"""Good files and bad files, made here: which are taken, which refused, and in what words."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from jobs.errors import IntakeError, QuotaExceeded
from jobs.intake import accept_picture, inspect_picture
from jobs.intake.structure import walk_jpeg, walk_png, walk_webp
from jobs.models import Artifact

from .conftest import submit, visitor

if TYPE_CHECKING:
    from collections.abc import Callable


def drawing(mode: str = "RGB", size: tuple[int, int] = (61, 47)) -> Image.Image:
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(image).line((0, 0, *size), fill=(250, 20, 90), width=3)
    return image.convert(mode)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *extra: bytes, pixels: bytes = b"\x00\x00") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + body + chunk(b"IEND", b"")


def with_exif(gps: bool = True) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
    return saved(drawing(), "JPEG", exif=exif)


def mpo() -> bytes:
    return saved(drawing(), "MPO", save_all=True, append_images=[drawing("RGB", (61, 47))])


def bomb_png(side: int) -> bytes:
    """A few kilobytes that say they are `side` x `side`."""
    return png(side, side, pixels=bytes(1 + side) * 16)


def comment_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("x", "a" * 80_000_000, zip=True)
    return saved(drawing(), "PNG", pnginfo=info)


def _in_chunks(count: int) -> bytes:
    """The same picture with its data cut into so many chunks."""
    data = saved(drawing().resize((61, 47)), "PNG")
    at, start = data.index(b"IDAT"), data.index(b"IDAT") - 4
    (length,) = struct.unpack(">I", data[start:at])
    body = data[at + 4 : at + 4 + length]
    parts = b"".join(chunk(b"IDAT", body[i : i + 1]) for i in range(min(count, len(body)) - 1))
    return data[:start] + parts + chunk(b"IDAT", body[min(count, len(body)) - 1 :]) + data[at + 4 + length + 4 :]


GOOD: dict[str, Callable[[], tuple[bytes, str, str]]] = {
    "jpeg": lambda: (saved(drawing(), "JPEG"), "photo.jpg", "JPEG"),
    "jpeg in capitals": lambda: (saved(drawing(), "JPEG"), "DSC01.JPEG", "JPEG"),
    "jpeg grey": lambda: (saved(drawing("L"), "JPEG"), "photo.jpg", "JPEG"),
    "jpeg cmyk": lambda: (saved(drawing("CMYK"), "JPEG"), "photo.jpg", "JPEG"),
    "jpeg progressive": lambda: (saved(drawing(), "JPEG", progressive=True), "photo.jpg", "JPEG"),
    "jpeg with restart markers": lambda: (saved(drawing(), "JPEG", restart_marker_blocks=2), "photo.jpg", "JPEG"),
    "jpeg with orientation and place": lambda: (with_exif(), "photo.jpg", "JPEG"),
    "mpo": lambda: (mpo(), "photo.mpo", "JPEG"),
    "mpo named jpg": lambda: (mpo(), "photo.jpg", "JPEG"),
    "png": lambda: (saved(drawing(), "PNG"), "photo.png", "PNG"),
    "png with alpha": lambda: (saved(drawing("RGBA"), "PNG"), "photo.png", "PNG"),
    "png palette": lambda: (saved(drawing("P"), "PNG"), "photo.png", "PNG"),
    "webp lossy": lambda: (saved(drawing(), "WEBP"), "photo.webp", "WEBP"),
    "webp lossless": lambda: (saved(drawing(), "WEBP", lossless=True), "photo.webp", "WEBP"),
    "webp with alpha and exif": lambda: (saved(drawing("RGBA"), "WEBP", exif=Image.Exif()), "photo.webp", "WEBP"),
    "without a suffix": lambda: (saved(drawing(), "JPEG"), "photo", "JPEG"),
    "without a name": lambda: (saved(drawing(), "PNG"), "", "PNG"),
    "bytes after the end": lambda: (saved(drawing(), "JPEG") + b"<script>alert(1)</script>", "photo.jpg", "JPEG"),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_files_are_taken(name: str) -> None:
    data, filename, expected = GOOD[name]()
    facts = inspect_picture(data, filename)
    assert (facts.format, facts.width, facts.height) == (expected, 61, 47)
    assert facts.content_type == f"image/{expected.lower()}"


def eps() -> bytes:
    return saved(drawing(), "EPS")


SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
CUT = {
    "JPEG": lambda: saved(drawing(), "JPEG"),
    "PNG": lambda: saved(drawing(), "PNG"),
    "WEBP": lambda: saved(drawing(), "WEBP"),
}


def moving(format: str) -> bytes:
    return saved(drawing(), format, save_all=True, append_images=[drawing().rotate(90), drawing().rotate(180)])


BAD: dict[str, tuple[Callable[[], bytes], str, str, str]] = {
    "empty": (lambda: b"", "photo.jpg", "empty", "empty"),
    "text": (lambda: b"hello " * 50, "photo.jpg", "not_an_image", "not a picture"),
    "random": (lambda: bytes(range(256)) * 9, "photo.png", "not_an_image", "not a picture"),
    "eps named jpg": (eps, "photo.jpg", "unsupported_media", "an EPS drawing"),
    "svg": (lambda: SVG, "photo.svg", "unsupported_media", "an SVG drawing"),
    "svg named png": (lambda: b"\xef\xbb\xbf  " + SVG, "photo.png", "unsupported_media", "an SVG drawing"),
    "html": (lambda: b"<!DOCTYPE html><p>hi", "photo.jpg", "unsupported_media", "a web page"),
    "tiff": (lambda: saved(drawing(), "TIFF"), "photo.tif", "unsupported_media", "a TIFF picture"),
    "bmp": (lambda: saved(drawing(), "BMP"), "photo.bmp", "unsupported_media", "a BMP picture"),
    "gif": (lambda: saved(drawing("P"), "GIF"), "photo.gif", "unsupported_media", "a GIF picture"),
    "gif named jpg": (
        lambda: moving("GIF"), "photo.jpg", "unsupported_media", "a GIF",
    ),
    "pdf": (lambda: saved(drawing(), "PDF"), "photo.pdf", "unsupported_media", "a PDF document"),
    "ico": (lambda: saved(drawing(), "ICO"), "photo.ico", "unsupported_media", "an icon"),
    "jpeg 2000": (lambda: saved(drawing(), "JPEG2000"), "photo.jp2", "unsupported_media", "a JPEG 2000 picture"),
    "avif": (lambda: b"\x00\x00\x00\x20ftypavif" + bytes(40), "a.avif", "unsupported_media", "an AVIF picture"),
    "heic": (lambda: b"\x00\x00\x00\x20ftypheic" + bytes(40), "a.heic", "unsupported_media", "a HEIC picture"),
    "mp4": (lambda: b"\x00\x00\x00\x20ftypisom" + bytes(40), "a.jpg", "unsupported_media", "a video"),
    "zip": (lambda: b"PK\x03\x04" + bytes(40), "a.jpg", "unsupported_media", "an archive"),
    "png named jpg": (CUT["PNG"], "photo.jpg", "wrong_type", "named .jpg, but it is a PNG picture"),
    "webp named png": (CUT["WEBP"], "photo.PNG", "wrong_type", "named .PNG, but it is a WEBP picture"),
    "jpeg named webp": (CUT["JPEG"], "photo.webp", "wrong_type", "named .webp, but it is a JPEG picture"),
    "apng": (
        lambda: moving("PNG"), "photo.png", "animated", "an animation",
    ),
    "animated webp": (
        lambda: moving("WEBP"), "a.webp", "animated", "an animation",
    ),
    "png without width": (lambda: png(0, 47), "photo.png", "empty", "no pixels"),
    "jpeg without height": (
        lambda: _with_jpeg_size(61, 0), "photo.jpg", "empty", "no pixels",
    ),
    "bomb in pixels": (lambda: bomb_png(12_000), "photo.png", "too_many_pixels", "144 megapixels"),
    "beyond the decoder's own limit": (lambda: bomb_png(60_000), "photo.png", "too_many_pixels", "3600 megapixels"),
    "jpeg that says it is huge": (lambda: _with_jpeg_size(65_000, 65_000), "a.jpg", "too_many_pixels", "megapixels"),
    "bomb in a comment": (comment_bomb, "photo.png", "not_an_image", "header"),
    "png with a wrong checksum": (lambda: _flip(CUT["PNG"](), 60), "photo.png", "truncated", "damaged"),
    "png without pixels": (
        lambda: png(1, 1).replace(chunk(b"IDAT", zlib.compress(b"\x00\x00")), b""),
        "photo.png", "truncated", "incomplete",
    ),
    "only a signature": (lambda: b"\xff\xd8\xff\xd9", "photo.jpg", "truncated", "incomplete"),
    "more segments than any encoder writes": (
        lambda: saved(drawing(), "JPEG")[:2] + b"\xff\xe1\x00\x02" * 20_000 + saved(drawing(), "JPEG")[2:],
        "photo.jpg", "truncated", "damaged",
    ),
    "more chunks than any encoder writes": (
        lambda: png(1, 1, *[chunk(b"teXt", b"")] * 20_000), "photo.png", "truncated", "damaged",
    ),
    "more chunks of webp than any encoder writes": (lambda: _with_chunks(20_000), "a.webp", "truncated", "damaged"),
    "more scans than any encoder writes": (lambda: _with_scans(101), "photo.jpg", "truncated", "damaged"),
    "a long filling before no marker": (lambda: _with_filling(1_000_000)[:-2], "a.jpg", "truncated", "incomplete"),
}  # fmt: skip


def _with_jpeg_size(width: int, height: int) -> bytes:
    data = bytearray(saved(drawing(), "JPEG"))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def _with_chunks(count: int) -> bytes:
    data = saved(drawing(), "WEBP")
    body = data[8:] + (b"none" + bytes(4)) * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


SCANS_OF_PILLOW = 6
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"


def _with_scans(count: int) -> bytes:
    return saved(drawing("L"), "JPEG", progressive=True)[:-2] + SCAN * (count - SCANS_OF_PILLOW) + b"\xff\xd9"


def _with_filling(count: int) -> bytes:
    """A JPEG with so many FF in its pixels, which do not end in a marker."""
    return saved(drawing(), "JPEG")[:-2] + b"\xff" * count + b"\x00\xff\xd9"


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_plain_words(name: str) -> None:
    make, filename, code, words = BAD[name]
    data = make()
    began = time.process_time()
    with pytest.raises(IntakeError) as refused:
        inspect_picture(data, filename)
    assert refused.value.code == code
    assert words in refused.value.message
    assert refused.value.message.endswith(".")
    assert time.process_time() - began < 2.0


def test_a_long_filling_costs_no_more_than_its_bytes() -> None:
    data = _with_filling(10_000_000)
    began = time.process_time()
    assert walk_jpeg(data).end == len(data)
    assert time.process_time() - began < 2.0


def test_as_many_scans_as_encoders_write_are_taken() -> None:
    assert walk_jpeg(_with_scans(100)).width == 61


@pytest.mark.parametrize("format", CUT)
def test_a_file_that_ends_early_is_refused_wherever_it_was_cut(format: str) -> None:
    data = CUT[format]()
    walk = {"JPEG": walk_jpeg, "PNG": walk_png, "WEBP": walk_webp}[format]
    assert walk(data).end == len(data)
    for length in range(1, len(data)):
        with pytest.raises(IntakeError):
            inspect_picture(data[:length], "")


@given(st.sampled_from(sorted(CUT)), st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_it_is_taken_or_refused(format: str, at: int, noise: bytes) -> None:
    data = CUT[format]()
    at %= len(data)
    try:
        inspect_picture(data[:at] + noise + data[at + len(noise) :], "")
    except IntakeError as refused:
        assert refused.message


def upload(data: bytes, name: str = "photo.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


@pytest.mark.django_db
def test_an_accepted_picture_is_kept_as_it_came_for_its_owner_only(house: Any) -> None:
    data = with_exif()
    artifact = accept_picture(upload(data, "C:\\Users\\me\\Über uns\u202e.jpg"), visitor())
    artifact.refresh_from_db()
    assert (artifact.role, artifact.size, artifact.content_type) == ("original", len(data), "image/jpeg")
    assert (artifact.width, artifact.height) == (61, 47)
    assert artifact.original_name == "Über uns.jpg"
    assert artifact.session_key == "visitor-a" and artifact.owner is None
    assert artifact.purge_after is not None
    with artifact.file.open("rb") as stored:
        assert stored.read() == data
    path = Path(house.MEDIA_ROOT) / str(artifact.file.name)
    assert "ber uns" not in str(path) and artifact.public_name == "original.jpg"
    assert len(list(path.parent.iterdir())) == 1
    assert not list(Artifact.objects.visible_to(visitor("visitor-b")))


@pytest.mark.django_db
def test_two_uploads_never_share_a_directory() -> None:
    first, second = (accept_picture(upload(CUT["JPEG"]()), visitor()) for _ in range(2))
    assert Path(str(first.file.name)).parent != Path(str(second.file.name)).parent


@pytest.mark.django_db
@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_not_read_to_its_end(house: Any, announced: bool) -> None:
    house.JOBS_PICTURE_BYTES = 100_000
    read: list[int] = []

    class Endless(SimpleUploadedFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            for _ in range(1000):
                read.append(1)
                yield bytes(64 * 1024)

    file = Endless("photo.jpg", b"", "image/jpeg")
    file.size = 65_536_000 if announced else 10
    with pytest.raises(IntakeError) as refused:
        accept_picture(file, visitor())
    assert refused.value.code == "too_large"
    assert len(read) == (0 if announced else 2)
    assert not Artifact.objects.exists()


@pytest.mark.django_db
def test_the_limit_itself_is_allowed(house: Any) -> None:
    data = CUT["JPEG"]()
    house.JOBS_PICTURE_BYTES = len(data)
    assert accept_picture(upload(data), visitor()).size == len(data)
    with pytest.raises(IntakeError):
        accept_picture(upload(data + b"x"), visitor())


@pytest.mark.django_db
def test_a_refused_picture_leaves_nothing_behind(house: Any) -> None:
    with pytest.raises(IntakeError):
        accept_picture(upload(SVG), visitor())
    assert not Artifact.objects.exists()
    assert not list(Path(house.MEDIA_ROOT).rglob("*.*"))


@pytest.mark.django_db
def test_an_upload_beyond_the_share_is_not_even_read(house: Any) -> None:
    house.JOBS_WAITING_VISITOR = 1
    submit()
    with pytest.raises(QuotaExceeded):
        accept_picture(upload(CUT["JPEG"]()), visitor())
    assert not Artifact.objects.exists()
