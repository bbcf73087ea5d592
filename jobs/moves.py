"""One conditional UPDATE for one move of one job: what `jobs.lifecycle` is made of. Used by nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from . import workdirs
from .errors import IllegalMove
from .models import Artifact, Job
from .states import TERMINAL, JobState, legal
from .wake import announce, nudge_workers

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from .models import JobQuerySet


_NOTHING_SHOWN: Final = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.PURGED})


def seq_now(after: int = 0) -> int:
    """Milliseconds, but always more than `after`: grows across workers, restarts and messages that no row remembers."""
    return max(after + 1, int(time.time() * 1000))


def move(
    job_id: UUID,
    old: JobState,
    new: JobState,
    *,
    held: int | None = None,
    lease: datetime | None = None,
    **changes: Any,
) -> bool:
    """Change the state of one row if it still is `old` and, where given, held by that attempt under that very lease.
    Returns whether it was."""
    if not legal(old, new):
        raise IllegalMove(f"{old} -> {new}")
    rows = Job.objects.filter(pk=job_id, state=old)
    if held is not None:
        rows = rows.filter(attempt=held)
        if lease is not None:  # a sweep must not take what was renewed while it looked
            rows = rows.filter(lease_expires=lease)
    elif old is JobState.RUNNING:
        raise IllegalMove("a running job is moved only by its attempt")
    if new is not JobState.RUNNING:
        changes.setdefault("lease_expires", None)
    if new in TERMINAL:
        changes.setdefault("finished", timezone.now())
        changes.setdefault("eta_seconds", None)
    if new in _NOTHING_SHOWN:
        changes.setdefault("shown", {})
    with transaction.atomic():  # who sees the end sees nothing half-done beside it
        moved = bool(rows.update(state=new, seq=Greatest(F("seq") + 1, Value(seq_now())), **changes))
        if moved and new in TERMINAL:
            _clear_away(job_id, new)
        if moved:
            transaction.on_commit(lambda: announce(job_id), robust=True)
        if moved and new is not JobState.RUNNING:  # a place, or a job, is there for somebody
            transaction.on_commit(nudge_workers, robust=True)
    return moved


def _clear_away(job_id: UUID, new: JobState) -> None:
    """Of what failed or was given up nothing half-done is kept, and nobody goes on from its folder."""
    if new in _NOTHING_SHOWN:
        for preview in Artifact.objects.filter(job_id=job_id, role=Artifact.PREVIEW):
            preview.delete()
    transaction.on_commit(lambda: workdirs.forget(job_id), robust=True)


def running_row(job_id: UUID, attempt: int) -> JobQuerySet:
    """The row, while that attempt runs it."""
    return Job.objects.filter(pk=job_id, state=JobState.RUNNING, attempt=attempt)
