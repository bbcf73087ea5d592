"""Finished enhancements in one ZIP: the signed files byte by byte, and the certificate to verify them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.text import slugify

from jobs.bundle import Entry

from .models import EnhancedPicture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from .models import EnhancementQuerySet


def entries(enhancements: EnhancementQuerySet) -> Iterator[Entry]:
    """Everything that these made. Never an original, never the copies that pages show."""
    yield from _pictures(enhancements.values_list("pk", flat=True))
    certificate = settings.GENERATION_AUTHORITY_DIR / "ca.pem"
    if certificate.is_file():
        yield Entry("authority.pem", timezone.localtime(), data=certificate.read_bytes())


def _pictures(numbers: object) -> Iterator[Entry]:
    wanted: list[UUID] = list(numbers)  # type: ignore[call-overload]
    rows = EnhancedPicture.objects.filter(enhancement__in=wanted).exclude(file=None)
    for picture in rows.select_related("enhancement", "file").iterator(chunk_size=50):
        yield Entry(name_of(picture), timezone.localtime(picture.enhancement.created), picture.file)


def name_of(picture: EnhancedPicture) -> str:
    """Day, title, task, method and the beginning of the number: readable, of one kind of letters, and no two alike."""
    enhancement = picture.enhancement
    day = timezone.localtime(enhancement.created).date().isoformat()
    title = slugify(enhancement.title.rsplit(".", 1)[0])[:60]
    words = [day, title, enhancement.task, f"{picture.number}-{slugify(picture.method)[:40]}", enhancement.pk.hex[:12]]
    suffix = "" if picture.file is None else picture.file.public_name.removeprefix(picture.file.role)
    return "-".join(word for word in words if word) + suffix
