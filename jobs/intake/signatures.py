"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

JPEG: Final = "JPEG"
PNG: Final = "PNG"
WEBP: Final = "WEBP"

CONTENT_TYPES: Final = {JPEG: "image/jpeg", PNG: "image/png", WEBP: "image/webp"}
SUFFIXES: Final = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp"}
NAMED: Final = {
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".jpe": JPEG,
    ".jfif": JPEG,
    ".mpo": JPEG,
    ".png": PNG,
    ".webp": WEBP,
}

_HEIF: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_FOREIGN: Final[tuple[tuple[bytes, StrOrPromise], ...]] = (
    (b"GIF8", _("a GIF picture")),
    (b"%!PS", _("an EPS drawing")),
    (b"\xc5\xd0\xd3\xc6", _("an EPS drawing")),
    (b"%PDF", _("a PDF document")),
    (b"II*\x00", _("a TIFF picture")),
    (b"MM\x00*", _("a TIFF picture")),
    (b"II+\x00", _("a TIFF picture")),
    (b"MM\x00+", _("a TIFF picture")),
    (b"BM", _("a BMP picture")),
    (b"8BPS", _("a Photoshop document")),
    (b"\x00\x00\x01\x00", _("an icon")),
    (b"\x00\x00\x00\x0cjP  ", _("a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", _("a JPEG 2000 picture")),
    (b"\x00\x00\x00\x0cJXL ", _("a JPEG XL picture")),
    (b"\xff\x0a", _("a JPEG XL picture")),
    (b"\x1aE\xdf\xa3", _("a video")),
    (b"FLV\x01", _("a video")),
    (b"PK\x03\x04", _("an archive or an office document")),
    (b"\x1f\x8b", _("an archive")),
    (b"7z\xbc\xaf\x27\x1c", _("an archive")),
    (b"Rar!", _("an archive")),
    (b"\x7fELF", _("a program")),
    (b"MZ", _("a program")),
    (b"ID3", _("a sound file")),
    (b"OggS", _("a sound file")),
)
_MARKUP: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<", re.ASCII)
_SVG: Final = re.compile(rb"<svg[\s>]", re.IGNORECASE)
_HTML: Final = re.compile(rb"<(?:!doctype html|html|head|body|script)[\s>]", re.IGNORECASE)


def supported(data: bytes) -> str | None:
    """JPEG, PNG or WEBP by the magic bytes, else None."""
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return None


def foreign(data: bytes) -> StrOrPromise | None:
    """What an unsupported file is, with its article, as a person would call it; None when it is nothing known."""
    head = data[:4096]
    if _MARKUP.match(head):
        if _SVG.search(head):
            return _("an SVG drawing")
        return _("a web page") if _HTML.search(head) else None
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIF:
            return _("a HEIC picture")
        return _("an AVIF picture") if brand in (b"avif", b"avis") else _("a video")
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WAVE"):
        return _("a video") if head[8:12] == b"AVI " else _("a sound file")
    return next((name for magic, name in _FOREIGN if head.startswith(magic)), None)
