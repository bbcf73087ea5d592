"""What a file says about itself in its first bytes, and whether its end is there: read without any decoder."""

from __future__ import annotations

import struct

from ml.sentences import N_

ACCEPTED = ("JPEG", "PNG", "WEBP", "MPO")

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", N_("a GIF")),
    (b"BM", N_("a BMP")),
    (b"II*\x00", N_("a TIFF or camera raw file")),
    (b"MM\x00*", N_("a TIFF or camera raw file")),
    (b"%!PS", N_("an EPS or PostScript file")),
    (b"\xc5\xd0\xd3\xc6", N_("an EPS file")),
    (b"%PDF", N_("a PDF")),
    (b"8BPS", N_("a Photoshop file")),
    (b"\x00\x00\x01\x00", N_("an icon")),
    (b"\x1aE\xdf\xa3", N_("a video")),
    (b"\xff\x0a", N_("a JPEG XL picture")),
    (b"\x00\x00\x00\x0cJXL ", N_("a JPEG XL picture")),
    (b"\x00\x00\x00\x0cjP  ", N_("a JPEG 2000 picture")),
    (b"PK\x03\x04", N_("a ZIP archive or office document")),
)
_BRANDS = {
    b"heic": N_("a HEIC picture"),
    b"heix": N_("a HEIC picture"),
    b"mif1": N_("a HEIC picture"),
    b"avif": N_("an AVIF picture"),
}


def sniff(data: bytes) -> str | None:
    """ "JPEG", "PNG" or "WEBP" by the magic bytes alone (an MPO begins as a JPEG); None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def foreign_kind(data: bytes) -> str | None:
    """In words, which known kind of file this is that is not accepted; None when it is nothing known."""
    for magic, words in _FOREIGN:
        if data.startswith(magic):
            return words
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], N_("a video"))
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in data[:4096].lower()):
        return N_("an SVG drawing")
    return None


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a WEBP from its first chunk; None when it has none.

    libwebp's demuxer allocates the whole canvas when a file is opened: it must be known before that.
    """
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def is_cut_off(data: bytes, kind: str) -> bool:
    """Whether the end of the file is missing, by its structure (a decoder may fill a missing end with grey)."""
    if kind == "PNG":
        return b"IEND" not in data[-4096:] and b"IEND" not in data
    if kind == "WEBP":
        return len(data) < 12 or struct.unpack("<I", data[4:8])[0] + 8 > len(data)
    scan = _start_of_scan(data)
    return scan is None or data.find(b"\xff\xd9", scan) < 0


def _start_of_scan(data: bytes) -> int | None:
    # Markers are walked by their lengths: an EXIF thumbnail is a whole JPEG with an end of its own.
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1  # libjpeg skips stray bytes between segments too
            continue
        marker = data[at + 1]
        if marker == 0xDA:
            return at
        if marker == 0xFF:
            at += 1
        elif marker in {0x00, 0x01} or 0xD0 <= marker <= 0xD9:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
