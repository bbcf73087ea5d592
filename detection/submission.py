"""Several uploads at once: each is accepted or refused for itself, and every refusal says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import IntakeError, QuotaExceeded
from jobs.refusal import Refusal

from .services import submit_check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files.uploadedfile import UploadedFile

    from jobs.requester import Requester

    from .models import Check


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


def submit_all(requester: Requester, uploads: Iterable[UploadedFile], *, improve: bool = False) -> Outcome:
    accepted: list[Check] = []
    refused: list[Refusal] = []
    for upload in uploads:
        try:
            accepted.append(submit_check(requester, upload, improve=improve))
        except (IntakeError, QuotaExceeded) as error:
            refused.append(Refusal.of(error, upload.name or ""))
    return Outcome(tuple(accepted), tuple(refused))
