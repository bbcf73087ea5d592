"""Several uploads at once: each is accepted or refused for itself, and every refusal says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jobs.errors import IntakeError, QuotaExceeded

from .services import submit_check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester

    from .models import Check

STATUS_OF_CODE: Final = {
    "too_large": 413,
    "too_many_pixels": 413,
    "unsupported_media": 415,
    "too_long": 413,
    "not_an_image": 415,
    "not_a_video": 415,
    "no_video_stream": 415,
    "wrong_type": 415,
}
QUOTA_CODES: Final = {429: "too_many_requests", 503: "busy"}


@dataclass(frozen=True, slots=True)
class Refusal:
    name: str
    code: str
    message: str
    status: int
    retry_after: int | None = None

    @classmethod
    def of(cls, error: IntakeError | QuotaExceeded, name: str = "") -> Refusal:
        if isinstance(error, QuotaExceeded):
            return cls(name, QUOTA_CODES.get(error.status, "busy"), error.message, error.status, error.retry_after)
        return cls(name, error.code, error.message, STATUS_OF_CODE.get(error.code, 400))

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


@dataclass(frozen=True, slots=True)
class Outcome:
    accepted: tuple[Check, ...]
    refused: tuple[Refusal, ...]

    @property
    def answer(self) -> Refusal | None:
        """What decides the status when nothing was accepted: a full queue first, since that is worth a retry."""
        if self.accepted or not self.refused:
            return None
        return next((refusal for refusal in self.refused if refusal.retry_after is not None), self.refused[0])


def submit_all(requester: Requester, uploads: Iterable[UploadedFile]) -> Outcome:
    accepted: list[Check] = []
    refused: list[Refusal] = []
    for upload in uploads:
        try:
            accepted.append(submit_check(requester, upload))
        except (IntakeError, QuotaExceeded) as error:
            refused.append(Refusal.of(error, upload.name or ""))
    return Outcome(tuple(accepted), tuple(refused))
