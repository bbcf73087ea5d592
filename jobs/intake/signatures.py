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

MP4: Final = "MP4"
MOV: Final = "MOV"
WEBM: Final = "WebM"
MKV: Final = "Matroska"
ISO: Final = frozenset({MP4, MOV})  # the same boxes, and names that people use for one another
MATROSKA: Final = frozenset({WEBM, MKV})

CONTENT_TYPES: Final = {
    JPEG: "image/jpeg",
    PNG: "image/png",
    WEBP: "image/webp",
    MP4: "video/mp4",
    MOV: "video/quicktime",
    WEBM: "video/webm",
    MKV: "video/x-matroska",
}
SUFFIXES: Final = {JPEG: ".jpg", PNG: ".png", WEBP: ".webp", MP4: ".mp4", MOV: ".mov", WEBM: ".webm", MKV: ".mkv"}
NAMED: Final = {
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".jpe": JPEG,
    ".jfif": JPEG,
    ".mpo": JPEG,
    ".png": PNG,
    ".webp": WEBP,
}

# Names that say "video", and the kind that they promise; None for kinds that are not taken.
VIDEO_NAMES: Final = {
    ".mp4": MP4,
    ".m4v": MP4,
    ".3gp": MP4,
    ".mov": MOV,
    ".qt": MOV,
    ".webm": WEBM,
    ".mkv": MKV,
    ".avi": None,
    ".mpg": None,
    ".mpeg": None,
    ".wmv": None,
    ".flv": None,
    ".m3u8": None,
    ".mpd": None,
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
    (b"FLV\x01", _("a Flash video")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _("a Windows Media video")),
    (b"\x00\x00\x01\xba", _("an MPEG video")),
    (b"\x00\x00\x01\xb3", _("an MPEG video")),
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
_PLAYLIST: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:ffconcat|#EXTM3U|\[playlist\]|(?:<\?xml[^>]*>\s*)?<(?:MPD|smil)|file\s+\S)",
    re.IGNORECASE,
)
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


def video(data: bytes) -> str | None:
    """MP4, MOV, WebM or Matroska by the magic bytes, else None."""
    if data[:4] == b"\x1aE\xdf\xa3":
        head = data[:64]
        return WEBM if b"webm" in head else MKV if b"matroska" in head else None
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in (*_HEIF, b"avif", b"avis"):
            return None
        return MOV if brand == b"qt  " else MP4
    # QuickTime of old has no `ftyp`; what else begins like this is found out by the walk along the boxes.
    return MOV if data[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip") else None


def is_playlist(data: bytes) -> bool:
    """Whether this is a text that makes a player open other files: ffconcat, HLS, DASH and the like."""
    return _PLAYLIST.match(data[:4096]) is not None


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
        return _("an AVI video") if head[8:12] == b"AVI " else _("a sound file")
    return next((name for magic, name in _FOREIGN if head.startswith(magic)), None)
