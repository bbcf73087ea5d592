"""A walk along the boxes of an MP4, MOV or 3GP file (ISO/IEC 14496-12): is it whole, how large, how long, and does it
hold all that it plays. Headers are read one by one from the file; nothing is decoded, and no other file is opened."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from .structure import Broken

MOST_BOXES: Final = 20_000  # data references counted too
DEEPEST: Final = 16  # of five levels down to the sample tables
_PARENTS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"})
_SELF_CONTAINED: Final = 1  # flag of a data reference: the media lie in this very file


class OutsideMedia(ValueError):
    """The file plays something that lies in another file or at an address."""


class Packed(ValueError):
    """The description of the tracks is compressed: what it would unfold to is not known."""


@dataclass(slots=True)
class Track:
    handler: bytes = b""
    codec: bytes = b""
    width: int = 0
    height: int = 0
    seconds: float | None = None


@dataclass(slots=True)
class Movie:
    """What the boxes say. `seconds` is None where they leave it open, as in fragmented files."""

    tracks: list[Track] = field(default_factory=list)
    seconds: float | None = None
    is_described: bool = False

    @property
    def video(self) -> Track | None:
        return next((track for track in self.tracks if track.handler == b"vide"), None)


def walk_boxes(file: BinaryIO, size: int) -> Movie:
    """Read the structure of a file of so many bytes. Raises Broken, OutsideMedia or Packed."""
    movie = Movie()
    _Walk(file, movie).level(0, size, top=True)
    if not movie.is_described:
        raise Broken("nothing describes the tracks")
    return movie


class _Walk:
    def __init__(self, file: BinaryIO, movie: Movie) -> None:
        self.file, self.movie = file, movie
        self.count = self.depth = 0

    def level(self, start: int, end: int, top: bool = False) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Broken("boxes in boxes without end")
        at = start
        while at + 8 <= end:
            self.one_more()
            length, name = struct.unpack(">I4s", self.read(at, 8))
            body = at + 8
            if length == 1:
                (length,) = struct.unpack(">Q", self.read(body, 8))
                body += 8
            elif length == 0:
                length = end - at
            if length < body - at or at + length > end:
                if top and self.movie.is_described and not name.isalnum():
                    return  # filling behind the last box
                raise Broken("a box reaches beyond what holds it")
            self.box(name, body, at + length)
            at += length
        self.depth -= 1

    def one_more(self) -> None:
        self.count += 1
        if self.count > MOST_BOXES:
            raise Broken("more boxes than any camera writes")

    def read(self, at: int, count: int) -> bytes:
        self.file.seek(at)
        data = self.file.read(count)
        if len(data) < count:
            raise Broken("ends inside a box")
        return data

    def box(self, name: bytes, start: int, end: int) -> None:
        if name == b"cmov":
            raise Packed
        if name == b"moov":
            self.movie.is_described = True
        elif name == b"trak":
            self.movie.tracks.append(Track())
        if name in _PARENTS:
            self.level(start, end)
        elif name == b"mvhd":
            self.movie.seconds = self.duration(start, end)
        elif name == b"dref":
            self.references(start, end)
        elif self.movie.tracks:
            self.of_track(self.movie.tracks[-1], name, start, end)

    def of_track(self, track: Track, name: bytes, start: int, end: int) -> None:
        if name == b"mdhd":
            track.seconds = self.duration(start, end)
        elif name == b"hdlr" and not track.handler and end - start >= 12:
            # The data handler of QuickTime comes second, below `minf`.
            track.handler = self.read(start + 8, 4)
        elif name == b"stsd" and end - start >= 16:
            track.codec = self.read(start + 12, 4)
            if track.handler == b"vide" and end - start >= 16 + 28:
                track.width, track.height = struct.unpack(">HH", self.read(start + 16 + 24, 4))

    def duration(self, start: int, end: int) -> float | None:
        version = self.read(start, 1)[0]
        at, form = (start + 20, ">IQ") if version == 1 else (start + 12, ">II")
        if end - at < struct.calcsize(form):
            raise Broken("a time that is cut off")
        scale, units = struct.unpack(form, self.read(at, struct.calcsize(form)))
        unknown = 2**64 - 1 if version == 1 else 2**32 - 1
        return units / scale if scale and 0 < units < unknown else None

    def references(self, start: int, end: int) -> None:
        (count,) = struct.unpack(">I", self.read(start + 4, 4))
        at = start + 8
        for _ in range(count):
            if at + 12 > end:
                return
            self.one_more()
            length, _name, flags = struct.unpack(">I4sI", self.read(at, 12))
            if not flags & _SELF_CONTAINED:
                raise OutsideMedia
            at += max(12, length)
