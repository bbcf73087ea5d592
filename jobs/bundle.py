"""Many stored files in one ZIP, written while it is sent, so that none of it is gathered in memory or on disk first."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, cast

from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from datetime import datetime

    from .models import Artifact

PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: a stored one, or bytes that are at hand."""

    name: str
    created: datetime
    artifact: Artifact | None = None
    data: bytes = b""


class _Outbox:
    """What zipfile writes to: it only ever goes on, and what is written is taken away to be sent."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._position = 0

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        return

    def take(self) -> bytes:
        data, self._waiting = b"".join(self._waiting), []
        return data


def written(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The ZIP in pieces, its files byte by byte as they are stored. One that went away meanwhile is left out."""
    out = _Outbox()
    with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            yield from _one(archive, out, entry)
    yield out.take()


def _one(archive: zipfile.ZipFile, out: _Outbox, entry: Entry) -> Iterator[bytes]:
    info = zipfile.ZipInfo(entry.name, entry.created.timetuple()[:6])
    if entry.artifact is None:
        archive.writestr(info, entry.data)
        return
    try:
        stored = entry.artifact.file.open("rb")
    except FileNotFoundError:
        return
    info.file_size = entry.artifact.size
    with stored, archive.open(info, "w") as target:
        while data := stored.read(PIECE):
            target.write(data)
            yield out.take()


async def written_async(entries: Iterable[Entry]) -> AsyncIterator[bytes]:
    """The same for a server that speaks ASGI, which would otherwise gather all of it before sending the first byte."""
    pieces = written(entries)
    after = sync_to_async(lambda: next(pieces, None))
    while (piece := await after()) is not None:
        yield piece
