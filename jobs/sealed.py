"""Keeping what was made: one finished file whose signed manifest its app has just verified, known from then on."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Final, Protocol

from django.utils.translation import gettext as _

from . import outputs
from .errors import PersonError
from .models import Artifact

if TYPE_CHECKING:
    from .models import Job

logger = logging.getLogger(__name__)

SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4"}
WITHOUT_MANIFEST: Final = "unsealed"


class Unsealed(PersonError):
    """Something was to be published that is not sealed, or whose seal does not hold."""

    def __init__(self, why: str) -> None:
        super().__init__(WITHOUT_MANIFEST, _("The result could not be signed and verified, so it was not kept."))
        self.why = why
        logger.error("refused to publish: %s", why)


class SealedFile(Protocol):
    """What every app's own class of finished files has."""

    @property
    def data(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def perceptual_hash(self) -> str: ...
    @property
    def role(self) -> str: ...


def check_type(job: Job, output: SealedFile) -> None:
    """Raises Unsealed for a file that is not named as what it is. Before anything of it is stored."""
    if SUFFIXES.get(output.content_type) != output.suffix:
        raise Unsealed(f"job {job.pk}: {output.content_type} named {output.suffix}")


def keep(job: Job, output: SealedFile, *, mark: str) -> Artifact:
    """Store a file and remember it among what was made here. Part of the transaction that publishes; the caller has
    verified its seal. mark: its invisible mark; only what was generated has one, or "" for a photograph made better."""
    check_type(job, output)
    sha256 = hashlib.sha256(output.data).hexdigest()
    outputs.record(job, sha256=sha256, perceptual_hash=output.perceptual_hash, mark=mark)
    return Artifact.store(
        role=output.role,
        data=output.data,
        content_type=output.content_type,
        suffix=output.suffix,
        job=job,
        width=output.width,
        height=output.height,
    )
