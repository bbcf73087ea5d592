"""What commands that make something share: the record of consent, waiting for the worker, writing what came out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from generation.consents import Consent
from jobs.states import JobState

if TYPE_CHECKING:
    from pathlib import Path

    from generation.models import Generation


def consent_of(number: str) -> Consent | None:
    """The record of that number, with its owner; None where there is none, and for what is no number."""
    try:
        return Consent.objects.select_related("owner").filter(pk=UUID(number)).first()
    except ValueError:
        return None


class MakingCommand(BaseCommand):
    """Queues something, waits for a running worker, and writes the sealed result."""

    def deliver(self, generation: Generation, out: Path, timeout: float) -> None:
        """Wait until the job has ended, and write its result, whole or not at all. Raises CommandError."""
        self.stderr.write(f"queued as {generation.job_id}")
        self._finished(generation, timeout)
        generation.refresh_from_db()
        result = generation.result
        if result is None:
            raise CommandError("what was made is gone already")
        fresh = out.with_name(f".{out.name}.part")
        with result.file.open("rb") as file:
            fresh.write_bytes(file.read())
        fresh.replace(out)
        self.stdout.write(str(out))

    def _finished(self, generation: Generation, timeout: float) -> None:
        job, deadline = generation.job, time.monotonic() + timeout
        while not job.is_terminal:
            if time.monotonic() > deadline:
                raise CommandError(
                    f"still {job.state} after {timeout:.0f} s; is a worker running (manage.py serve, manage.py work)? "
                    "The job goes on, and its result will be on the site"
                )
            time.sleep(0.5)
            job.refresh_from_db()
        if job.state != JobState.SUCCEEDED:
            raise CommandError(job.error_message or f"the job has {job.state}")
