"""Everything of a gallery in one ZIP, written while it is sent: the sealed files byte by byte, and nothing beside them
but the certificate to verify them with. Never an original, never a picture that lost its manifest on the way."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone
from django.utils.text import slugify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from .models import Generation

PIECE: Final = 256 * 1024


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


def written(generations: Iterable[Generation]) -> Iterator[bytes]:
    """The ZIP in pieces. A file that went away meanwhile is left out."""
    out = _Outbox()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[arg-type]
        for generation in generations:
            yield from _one(archive, out, generation)
        certificate = settings.GENERATION_AUTHORITY_DIR / "ca.pem"
        if certificate.is_file():
            archive.writestr("authority.pem", certificate.read_bytes())
    yield out.take()


def _one(archive: zipfile.ZipFile, out: _Outbox, generation: Generation) -> Iterator[bytes]:
    sealed = generation.result
    if sealed is None:
        return
    try:
        stored = sealed.file.open("rb")
    except FileNotFoundError:
        return
    info = zipfile.ZipInfo(name_of(generation), generation.created.timetuple()[:6])
    info.file_size = sealed.size
    with stored, archive.open(info, "w") as entry:
        while data := stored.read(PIECE):
            entry.write(data)
            yield out.take()


def name_of(generation: Generation) -> str:
    """Day, kind, title and the beginning of the number: readable, of one kind of letters, and no two alike."""
    day = timezone.localtime(generation.created).date().isoformat()
    words = "-".join(part for part in (slugify(generation.title)[:60], generation.pk.hex[:12]) if part)
    suffix = "" if generation.result is None else generation.result.public_name.removeprefix(generation.result.role)
    return f"{day}-{generation.kind}-{words}{suffix}"


async def written_async(generations: Iterable[Generation]) -> AsyncIterator[bytes]:
    """The same for a server that speaks ASGI, which would otherwise gather all of it before sending the first byte."""
    pieces = written(generations)
    while (piece := await sync_to_async(next)(pieces, None)) is not None:
        yield piece
