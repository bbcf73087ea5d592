"""Pictures: JPEG (grey, CMYK and MPO too), PNG and WEBP, one still picture in a file that is whole."""

from __future__ import annotations

import hashlib
import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from jobs import lifecycle, quotas
from jobs.errors import IntakeError
from jobs.models import Artifact

from . import signatures
from .naming import plain_name
from .structure import WALKS, Animated, Broken

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester

logger = logging.getLogger(__name__)

FORMATS: Final = ("JPEG", "PNG", "WEBP", "MPO")

# For the whole process, because a filter changed for one thread is changed for all of them.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class PictureFacts:
    format: str
    content_type: str
    suffix: str
    width: int
    height: int


def accept_picture(upload: UploadedFile[bytes], requester: Requester, kind: str = "") -> Artifact:
    """Check an upload and keep its bytes as an `original`. Raises IntakeError with a sentence for the person, or
    QuotaExceeded when the job it is meant for would be refused anyway. It is purged unless a job takes it over."""
    quotas.check(requester, kind)
    name = plain_name(upload.name or "")
    data = _read(upload)
    facts = inspect_picture(data, name)
    artifact = Artifact(
        role=Artifact.ORIGINAL,
        sha256=hashlib.sha256(data).hexdigest(),
        content_type=facts.content_type,
        size=len(data),
        width=facts.width,
        height=facts.height,
        original_name=name,
        owner=requester.user,
        session_key=requester.session_key or "",
        purge_after=timezone.now() + lifecycle.keep_for(requester),
    )
    artifact.file.save(f"original{facts.suffix}", ContentFile(data), save=False)
    artifact.save()
    return artifact


def _read(upload: UploadedFile[bytes]) -> bytes:
    limit = settings.JOBS_PICTURE_BYTES
    if (upload.size or 0) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    for part in upload.chunks():
        size += len(part)
        if size > limit:  # the announced size was wrong
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> IntakeError:
    megabytes = f"{limit / (1024 * 1024):g}"
    return IntakeError(
        "too_large", _("This file is larger than %(limit)s MB. Save it smaller and try again.") % {"limit": megabytes}
    )


def inspect_picture(data: bytes, name: str = "") -> PictureFacts:
    """Say what picture these bytes are, from the structure and the header. Raises IntakeError."""
    if not data:
        raise IntakeError("empty", _("This file is empty."))
    found = signatures.supported(data)
    if found is None:
        raise _unsupported(data)
    named = signatures.NAMED.get(PurePath(name).suffix.lower())
    if named is not None and named != found:
        raise IntakeError(
            "wrong_type",
            _("This file is named %(suffix)s, but it is a %(format)s picture. Name it %(right)s and try again.")
            % {"suffix": PurePath(name).suffix, "format": found, "right": signatures.SUFFIXES[found]},
        )
    try:
        structure = WALKS[found](data)
    except Animated:
        raise IntakeError(
            "animated", _("This is an animation. Only single still pictures can be checked: save one frame of it.")
        ) from None
    except Broken as error:
        raise IntakeError(
            "truncated", _("This picture is incomplete or damaged. Get the whole file and try again.")
        ) from error
    if structure.width == 0 or structure.height == 0:
        raise IntakeError("empty", _("This picture has no pixels: its width or height is zero."))
    pixels = structure.width * structure.height
    if pixels > settings.JOBS_PICTURE_PIXELS:
        raise _too_many_pixels(pixels)
    _confirm_header(data, found, (structure.width, structure.height))
    return PictureFacts(
        format=found,
        content_type=signatures.CONTENT_TYPES[found],
        suffix=signatures.SUFFIXES[found],
        width=structure.width,
        height=structure.height,
    )


def _too_many_pixels(pixels: int) -> IntakeError:
    return IntakeError(
        "too_many_pixels",
        _("This picture has %(has)d megapixels; at most %(limit)d can be checked. Make it smaller and try again.")
        % {"has": -(-pixels // 1_000_000), "limit": settings.JOBS_PICTURE_PIXELS // 1_000_000},
    )


def _unsupported(data: bytes) -> IntakeError:
    what = signatures.foreign(data)
    if what is None:
        return IntakeError(
            "not_an_image",
            _("This is not a picture or video. Choose a JPEG, PNG or WEBP photo, or an MP4, MOV or WebM video."),
        )
    return IntakeError(
        "unsupported_media",
        _("This is %(what)s, not a photo that can be checked. Save it as JPEG, PNG or WEBP and try again.")
        % {"what": what},
    )


def _confirm_header(data: bytes, found: str, size: tuple[int, int]) -> None:
    """The decoder that will read it must see the same picture as the walk did."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            kind = "JPEG" if image.format == "MPO" else image.format
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            seen = image.size
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(size[0] * size[1]) from None
    except Exception as error:  # a damaged header makes Pillow raise nearly anything
        logger.info("header not readable: %s: %s", type(error).__name__, error)
        raise IntakeError(
            "not_an_image", _("This picture cannot be read: its header is damaged. Save it again and try once more.")
        ) from error
    if frames != 1:
        raise IntakeError(
            "animated", _("This is an animation. Only single still pictures can be checked: save one frame of it.")
        )
    if kind != found or seen != size:
        raise IntakeError("not_an_image", _("This picture contradicts itself: its header says two different things."))
