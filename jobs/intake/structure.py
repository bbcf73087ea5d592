"""A walk along the structure of a picture file: is it whole, is it one still picture, how large is it.

No pixel is decoded and nothing is decompressed, so a bomb costs what its bytes cost. What follows the end of the
picture is neither read nor ever served.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Final


class Broken(ValueError):
    """The structure ends early or contradicts itself."""


class Animated(ValueError):
    """More than one picture in time."""


TOO_MANY: Final = "more parts than any encoder writes"


@dataclass(frozen=True, slots=True)
class Structure:
    width: int
    height: int
    end: int  # offset of the first byte after the picture


_MARKER: Final = re.compile(rb"\xff+([^\xff])", re.DOTALL)
# In entropy-coded data FF is followed by 00 (a stuffed byte), by a restart marker, or by more FF as filling. Only the
# last of a run is matched: a search for whole runs takes a time that grows with their square.
_NEXT_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
MOST_PARTS: Final = 20_000  # segments or chunks; decoders keep a list of them, in many times their size of memory
MOST_SCANS: Final = (
    100  # encoders write about ten; each costs the decoder a pass over all pixels, however few its bytes
)


def walk_jpeg(data: bytes) -> Structure:
    """Markers from SOI to EOI (ITU T.81, B.1)."""
    position, scans = 2, 0
    size: tuple[int, int] | None = None
    for _ in range(MOST_PARTS):
        match = _MARKER.match(data, position)
        if match is None:
            raise Broken("no marker where one must be")
        marker, position = match[1][0], match.end()
        if marker == EOI:
            if size is None or not scans:
                raise Broken("ends before any picture")
            return Structure(size[0], size[1], position)
        if marker in _STANDALONE:
            continue
        if marker in (SOI, 0x00):
            raise Broken("a marker that cannot stand here")
        if position + 2 > len(data):
            raise Broken("ends inside a segment")
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise Broken("ends inside a segment")
        if marker in _FRAMES:
            if length < 8:
                raise Broken("frame header too short")
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = (width, height)
        position += length
        if marker == SOS:
            scans += 1
            if scans > MOST_SCANS:
                raise Broken("more scans than any encoder writes")
            following = _NEXT_MARKER.search(data, position)
            if following is None:
                raise Broken("ends inside the picture")
            position = following.start()
    raise Broken(TOO_MANY)


def walk_png(data: bytes) -> Structure:
    """Chunks with their checksums, from IHDR to IEND (PNG, third edition, 5)."""
    position, pixels = 8, False
    size: tuple[int, int] | None = None
    for _ in range(MOST_PARTS):
        if position + 12 > len(data):
            raise Broken("ends before IEND")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if length > 0x7FFFFFFF or end > len(data):
            raise Broken("ends inside a chunk")
        body = memoryview(data)[position + 4 : end - 4]
        if zlib.crc32(body) != struct.unpack_from(">I", data, end - 4)[0]:
            raise Broken("a chunk does not match its checksum")
        if size is None:
            if name != b"IHDR" or length != 13:
                raise Broken("does not begin with IHDR")
            size = struct.unpack_from(">II", data, position + 8)
        elif name == b"acTL":
            raise Animated
        elif name == b"IDAT":
            pixels = True
        elif name == b"IEND":
            if not pixels:
                raise Broken("no picture data")
            return Structure(size[0], size[1], end)
        position = end
    raise Broken(TOO_MANY)


def walk_webp(data: bytes) -> Structure:
    """RIFF chunks (RFC 9649, 2)."""
    (riff,) = struct.unpack_from("<I", data, 4)
    end = 8 + riff
    if end > len(data) or riff < 4:
        raise Broken("ends before the length that it says")
    position, pixels, parts = 12, False, 0
    size: tuple[int, int] | None = None
    while position + 8 <= end:
        parts += 1
        if parts > MOST_PARTS:
            raise Broken(TOO_MANY)
        name, length = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if body + length > end:
            raise Broken("ends inside a chunk")
        if name in (b"ANIM", b"ANMF"):
            raise Animated
        if name == b"VP8X" and length >= 10:
            if data[body] & 0x02:
                raise Animated
            size = (1 + _int24(data, body + 4), 1 + _int24(data, body + 7))
        elif name == b"VP8 " and length >= 10:
            pixels = True
            if data[body + 3 : body + 6] != b"\x9d\x01\x2a":
                raise Broken("no key frame")
            width, height = struct.unpack_from("<HH", data, body + 6)
            size = size or (width & 0x3FFF, height & 0x3FFF)
        elif name == b"VP8L" and length >= 5:
            pixels = True
            if data[body] != 0x2F:
                raise Broken("no lossless picture")
            (bits,) = struct.unpack_from("<I", data, body + 1)
            size = size or (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        position = body + length + (length & 1)
    if size is None or not pixels:
        raise Broken("no picture data")
    return Structure(size[0], size[1], end)


def _int24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")


WALKS: Final = {"JPEG": walk_jpeg, "PNG": walk_png, "WEBP": walk_webp}
