"""Everything of a gallery in one ZIP: the sealed files byte by byte, and nothing beside them but the certificate to
verify them with. Never an original, never a picture that lost its manifest on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.text import slugify

from jobs import bundle
from jobs.bundle import Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from .models import Generation


def entries(generations: Iterable[Generation]) -> Iterator[Entry]:
    for generation in generations:
        if generation.result is not None:
            created = timezone.localtime(generation.created)
            yield Entry(name_of(generation), created, generation.result)
    certificate = settings.GENERATION_AUTHORITY_DIR / "ca.pem"
    if certificate.is_file():
        yield Entry("authority.pem", timezone.localtime(), data=certificate.read_bytes())


def written(generations: Iterable[Generation]) -> Iterator[bytes]:
    """The ZIP in pieces. A file that went away meanwhile is left out."""
    return bundle.written(entries(generations))


def written_async(generations: Iterable[Generation]) -> AsyncIterator[bytes]:
    """The same for a server that speaks ASGI."""
    return bundle.written_async(entries(generations))


def name_of(generation: Generation) -> str:
    """Day, kind, title and the beginning of the number: readable, of one kind of letters, and no two alike."""
    day = timezone.localtime(generation.created).date().isoformat()
    words = "-".join(part for part in (slugify(generation.title)[:60], generation.pk.hex[:12]) if part)
    suffix = "" if generation.result is None else generation.result.public_name.removeprefix(generation.result.role)
    return f"{day}-{generation.kind}-{words}{suffix}"
