"""A walk along the elements of a WebM or Matroska file (RFC 8794, RFC 9559), up to the first pictures: is it whole, how
large, how long. Nothing is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from .structure import Broken

MOST_ELEMENTS: Final = 20_000
DEEPEST: Final = 16  # of four levels down to the size of a picture
_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_DOC_TYPE, _INFO, _TRACKS, _TRACK, _VIDEO = 0x4282, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0
_SCALE, _DURATION, _TRACK_TYPE, _WIDTH, _HEIGHT = 0x2AD7B1, 0x4489, 0x83, 0xB0, 0xBA
_PARENTS: Final = frozenset({_INFO, _TRACKS, _TRACK, _VIDEO})
_VIDEO_TRACK: Final = 1


@dataclass(slots=True)
class Matroska:
    """What the elements say. `seconds` is None where they leave it open, as recorders in browsers do."""

    doc_type: str = ""
    has_video: bool = False
    width: int = 0
    height: int = 0
    duration: float | None = None
    scale: int = 1_000_000

    @property
    def seconds(self) -> float | None:
        return None if self.duration is None else self.duration * self.scale / 1e9


def walk_elements(file: BinaryIO, size: int) -> Matroska:
    """Read the structure of a file of so many bytes. Raises Broken."""
    walk = _Walk(file, size)
    identity, start, end = walk.element(0, size)
    if identity != _EBML or end is None:
        raise Broken("does not begin with an EBML header")
    walk.level(start, end)
    identity, start, segment_end = walk.element(end, size)
    if identity != _SEGMENT:
        raise Broken("no segment")
    walk.level(start, size if segment_end is None else segment_end)
    if not walk.has_tracks:
        raise Broken("nothing describes the tracks")
    return walk.found


class _Walk:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.found = Matroska()
        self.has_tracks = False
        self._count = self._depth = 0
        self._is_video = False

    def level(self, start: int, end: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Broken("elements in elements without end")
        at = start
        while at + 2 <= end:
            identity, body, stop = self.element(at, end)
            if identity == _CLUSTER and self.has_tracks:
                return
            if stop is None:
                raise Broken("an element without a length")
            if identity in _PARENTS:
                self.has_tracks = self.has_tracks or identity == _TRACKS
                if identity == _TRACK:
                    self._is_video = False
                self.level(body, stop)
            else:
                self.value(identity, body, stop)
            at = stop
        self._depth -= 1

    def element(self, at: int, end: int) -> tuple[int, int, int | None]:
        """Identity, where its body begins, and where it ends; None for an end that is left open."""
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise Broken("more elements than any camera writes")
        self.file.seek(at)
        head = self.file.read(12)
        if not head:
            raise Broken("ends where an element must be")
        id_bytes = 9 - head[0].bit_length() if head[0] else 9
        if id_bytes > 4 or len(head) <= id_bytes:
            raise Broken("no element where one must be")
        identity = int.from_bytes(head[:id_bytes], "big")
        length_bytes = 9 - head[id_bytes].bit_length() if head[id_bytes] else 9
        if length_bytes > 8 or len(head) < id_bytes + length_bytes:
            raise Broken("no length where one must be")
        ones = (1 << (7 * length_bytes)) - 1
        length = int.from_bytes(head[id_bytes : id_bytes + length_bytes], "big") & ones
        body = at + id_bytes + length_bytes
        if length == ones:
            return identity, body, None
        if body + length > end:
            raise Broken("an element reaches beyond what holds it")
        return identity, body, body + length

    def value(self, identity: int, start: int, end: int) -> None:
        if identity not in (_DOC_TYPE, _SCALE, _DURATION, _TRACK_TYPE, _WIDTH, _HEIGHT) or end - start > 64:
            return
        self.file.seek(start)
        data = self.file.read(end - start)
        if identity == _DOC_TYPE:
            self.found.doc_type = data.rstrip(b"\0").decode("ascii", "replace")
        elif identity == _DURATION and len(data) in (4, 8):
            (seconds,) = struct.unpack(">f" if len(data) == 4 else ">d", data)
            self.found.duration = seconds if 0 < seconds < 1e15 else None
        elif identity == _SCALE:
            self.found.scale = int.from_bytes(data, "big") or 1_000_000
        elif identity == _TRACK_TYPE:
            self._is_video = int.from_bytes(data, "big") == _VIDEO_TRACK
            self.found.has_video = self.found.has_video or self._is_video
        elif identity == _WIDTH:
            self.found.width = max(self.found.width, int.from_bytes(data, "big"))
        elif identity == _HEIGHT:
            self.found.height = max(self.found.height, int.from_bytes(data, "big"))
