"""Videos: MP4, MOV and their kin, WebM and Matroska, whole, and with everything that they play inside them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import lifecycle, quotas
from jobs.errors import IntakeError
from jobs.models import Artifact

from . import signatures
from .boxes import OutsideMedia, Packed, walk_boxes
from .ebml import walk_elements
from .naming import plain_name
from .structure import Broken

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester

HEAD: Final = 4096
_HEADROOM: Final = 1.0  # seconds by which a header may round its length up


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """`seconds` is what the header says, None where it says nothing; the decoder counts for itself."""

    format: str
    content_type: str
    suffix: str
    width: int
    height: int
    seconds: float | None


def is_video(upload: UploadedFile[bytes]) -> bool:
    """Whether an upload is a video by its first bytes, or at least says so in its name without being a picture."""
    upload.seek(0)
    head = upload.read(HEAD)
    upload.seek(0)
    if signatures.supported(head):
        return False
    return signatures.video(head) is not None or PurePath(upload.name or "").suffix.lower() in signatures.VIDEO_NAMES


def accept_video(upload: UploadedFile[bytes], requester: Requester, kind: str = "") -> Artifact:
    """Check an upload and keep its bytes as an `original`, read in pieces and never whole in memory.

    Raises IntakeError with a sentence for the person, or QuotaExceeded when the job it is meant for would be refused
    anyway. It is purged unless a job takes it over.
    """
    quotas.check(requester, kind)
    name = plain_name(upload.name or "")
    digest, size = _read_through(upload)
    facts = inspect_video(cast("BinaryIO", upload), size, name)
    artifact = Artifact(
        role=Artifact.ORIGINAL,
        sha256=digest,
        content_type=facts.content_type,
        size=size,
        width=facts.width,
        height=facts.height,
        original_name=name,
        owner=requester.user,
        session_key=requester.session_key or "",
        purge_after=timezone.now() + lifecycle.keep_for(requester),
    )
    artifact.file.save(f"original{facts.suffix}", upload, save=False)
    artifact.save()
    return artifact


def _read_through(upload: UploadedFile[bytes]) -> tuple[str, int]:
    limit = settings.JOBS_VIDEO_BYTES
    if (upload.size or 0) > limit:
        raise _too_large(limit)
    digest, size = hashlib.sha256(), 0
    for part in upload.chunks():
        size += len(part)
        if size > limit:  # the announced size was wrong
            raise _too_large(limit)
        digest.update(part)
    return digest.hexdigest(), size


def _too_large(limit: int) -> IntakeError:
    megabytes = f"{limit / (1024 * 1024):g}"
    return IntakeError(
        "too_large",
        _("This video is larger than %(limit)s MB. Cut out the part that matters and try again.")
        % {"limit": megabytes},
    )


def inspect_video(file: BinaryIO, size: int, name: str = "") -> VideoFacts:
    """Say what video this is, from its structure alone. Raises IntakeError."""
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise IntakeError("empty", _("This file is empty."))
    found = signatures.video(head)
    if found is None:
        raise _unsupported(head)
    _confirm_name(name, found)
    try:
        has_video, width, height, seconds = _structure(file, size, found)
    except OutsideMedia:
        raise IntakeError(
            "external_media",
            _("This video plays something that lies in another file. Save it with everything inside and try again."),
        ) from None
    except Packed:
        raise IntakeError(
            "unsupported_media",
            _("The description of this video is compressed in an old way. Save it as MP4 and try again."),
        ) from None
    except Broken as error:
        raise IntakeError(
            "truncated", _("This video is incomplete or damaged. Get the whole file and try again.")
        ) from error
    if not has_video:
        raise IntakeError("no_video_stream", _("There is no moving picture in this file, only sound or data."))
    if width * height > settings.JOBS_VIDEO_PIXELS:
        raise IntakeError(
            "too_many_pixels",
            _("This video is %(width)d x %(height)d; at most 1080p can be checked. Make it smaller and try again.")
            % {"width": width, "height": height},
        )
    if seconds is not None and seconds > settings.JOBS_VIDEO_SECONDS + _HEADROOM:
        raise IntakeError(
            "too_long",
            _("This video lasts %(has)s; at most %(limit)g seconds can be checked. Cut out the part that matters.")
            % {"has": _in_words(seconds), "limit": settings.JOBS_VIDEO_SECONDS},
        )
    return VideoFacts(found, signatures.CONTENT_TYPES[found], signatures.SUFFIXES[found], width, height, seconds)


def _structure(file: BinaryIO, size: int, found: str) -> tuple[bool, int, int, float | None]:
    if found in signatures.MATROSKA:
        elements = walk_elements(file, size)
        return elements.has_video, elements.width, elements.height, elements.seconds
    movie = walk_boxes(file, size)
    track = movie.video
    if track is None:
        return False, 0, 0, movie.seconds
    return True, track.width, track.height, track.seconds or movie.seconds


def _confirm_name(name: str, found: str) -> None:
    suffix = PurePath(name).suffix.lower()
    named = signatures.VIDEO_NAMES.get(suffix) or signatures.NAMED.get(suffix)
    if named is None or named == found or {named, found} <= signatures.MATROSKA or {named, found} <= signatures.ISO:
        return
    raise IntakeError(
        "wrong_type",
        _("This file is named %(suffix)s, but it is a %(format)s video. Name it %(right)s and try again.")
        % {"suffix": PurePath(name).suffix, "format": found, "right": signatures.SUFFIXES[found]},
    )


def _unsupported(head: bytes) -> IntakeError:
    if signatures.is_playlist(head):
        return IntakeError(
            "not_a_video",
            _("This is a playlist, a text that names other files, and no video. Choose the video itself."),
        )
    what = signatures.foreign(head)
    if what is None:
        return IntakeError("not_a_video", _("This is not a video. Choose an MP4, MOV or WebM file."))
    return IntakeError(
        "unsupported_media",
        _("This is %(what)s, not a video that can be checked. Save it as MP4 or WebM and try again.") % {"what": what},
    )


def _in_words(seconds: float) -> str:
    if seconds < 120:
        return _("%(count)d seconds") % {"count": seconds}
    if seconds < 7200:
        return _("%(count)d minutes") % {"count": seconds / 60}
    return _("%(count)d hours") % {"count": seconds / 3600}
