"""The parts of a file that speak about it, taken out by the container's own structure; no pixel is decoded.

Every walk is bounded by the file's own length and by the number of parts, and ends quietly where the structure does.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARTS: Final = 20_000
MAX_METADATA_BYTES: Final = 1024 * 1024
_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP: Final = b"XML:com.adobe.xmp"


@dataclass(slots=True)
class Parts:
    """What was found: the EXIF block without its header, the XMP packet, bytes of C2PA, PNG's texts, JPEG's markers."""

    exif: bytes = b""
    xmp: bytes = b""
    c2pa_bytes: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    markers: list[tuple[int, bytes]] = field(default_factory=list)
    """Of a JPEG: every marker before the pixels, with the bytes behind its length."""


def parts_of(data: bytes, kind: str) -> Parts:
    """kind: JPEG, PNG or WEBP, as `ml.media.header.sniff` says."""
    found = Parts()
    {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}[kind](data, found)
    return found


def _jpeg(data: bytes, found: Parts) -> None:
    for marker, body in jpeg_segments(data):
        found.markers.append((marker, body))
        if marker == 0xE1 and body.startswith(_EXIF) and not found.exif:
            found.exif = body[len(_EXIF) :]
        elif marker == 0xE1 and body.startswith(_XMP) and not found.xmp:
            found.xmp = body[len(_XMP) :]
        elif (
            marker == 0xEB and body[:2] == b"JP" and (found.c2pa_bytes or b"jumb" in body[:24] or b"c2pa" in body[:64])
        ):
            found.c2pa_bytes += len(body)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, body) of each segment before the pixels; the start of scan is the last."""
    at = 2
    for _ in range(MAX_PARTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in {0x00, 0x01} or 0xD0 <= marker <= 0xD8:
            at += 2
        elif marker == 0xD9:
            return
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            yield marker, data[at + 4 : at + 2 + length]
            if marker == 0xDA:
                return
            at += 2 + max(2, length)


def _png(data: bytes, found: Parts) -> None:
    at = 8
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name == b"caBX":
            found.c2pa_bytes += length
        elif length <= MAX_METADATA_BYTES:
            body = data[at + 8 : at + 8 + length]
            if name == b"eXIf" and not found.exif:
                found.exif = body.removeprefix(_EXIF)
            elif name in {b"tEXt", b"zTXt", b"iTXt"} and len(found.texts) < 64:
                _png_text(name, body, found)
        at += 12 + length


def _png_text(name: bytes, body: bytes, found: Parts) -> None:
    keyword, _, rest = body.partition(b"\0")
    if name == b"tEXt":
        text = rest
    elif name == b"zTXt":
        text = _inflated(rest[1:])
    else:
        packed, rest = rest[:1] == b"\x01", rest[2:]
        _language, _, rest = rest.partition(b"\0")
        _translated, _, text = rest.partition(b"\0")
        text = _inflated(text) if packed else text
    if keyword == _PNG_XMP:
        found.xmp = found.xmp or text
    elif len(keyword) <= 79:
        encoding = "utf-8" if name == b"iTXt" else "latin-1"
        found.texts.setdefault(keyword.decode("latin-1"), text[:4096].decode(encoding, "replace"))


def _inflated(packed: bytes) -> bytes:
    # Bounded by what comes out, not by what goes in: a few kilobytes may hold gigabytes.
    try:
        return zlib.decompressobj().decompress(packed, MAX_METADATA_BYTES)
    except zlib.error:
        return b""


def _webp(data: bytes, found: Parts) -> None:
    at = 12
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"C2PA":
            found.c2pa_bytes += length
        elif length <= MAX_METADATA_BYTES:
            body = data[at + 8 : at + 8 + length]
            if name == b"EXIF" and not found.exif:
                found.exif = body.removeprefix(_EXIF)
            elif name == b"XMP " and not found.xmp:
                found.xmp = body
        at += 8 + length + (length & 1)
