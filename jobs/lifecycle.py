"""The only writer of `Job.state`.

Each move is one conditional UPDATE whose WHERE names the state it leaves and, while a job runs, the attempt running it:
a worker that has lost its lease can change nothing any more.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from . import kinds, quotas
from .database import retrying, serialise
from .errors import QuotaExceeded
from .files import removed_on_failure
from .models import Artifact, Job
from .moves import move, running_row, seq_now
from .sentences import unpacked
from .states import TERMINAL, JobState, Standing
from .turns import in_turn
from .wake import announce, nudge_workers
from .workplace import is_gone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from .requester import Requester
    from .sentences import Packed

logger = logging.getLogger(__name__)


class LeaseLost(RuntimeError):
    """The attempt that asks is not the one that runs the job any more."""


def keep_for(requester: Requester) -> timedelta:
    hours = settings.JOBS_KEEP_MEMBER_HOURS if requester.is_member else settings.JOBS_KEEP_VISITOR_HOURS
    return timedelta(hours=hours)


@retrying
def submit(
    kind: str, requester: Requester, artifacts: Sequence[Artifact] = (), params: dict[str, Any] | None = None
) -> Job:
    """Queue a job. Raises QuotaExceeded, and then throws the artifacts away.

    Workers are nudged when the row is there for them to see: on commit of the outermost transaction.
    """
    if not requester.owner_key:
        raise ValueError("a job needs an owner")
    job_kind = kinds.get(kind)
    now = timezone.now()
    try:
        with transaction.atomic():
            serialise("submit")
            quotas.check(requester, kind)
            job = Job.objects.create(
                kind=kind,
                owner=requester.user,
                session_key=requester.session_key or "",
                owner_key=requester.owner_key,
                address_hash=requester.address_hash,
                params=params or {},
                max_attempts=job_kind.max_attempts,
                seq=seq_now(),
                created=now,
                not_before=now,
                purge_after=now + keep_for(requester),
            )
            for artifact in artifacts:
                artifact.job = job
                artifact.purge_after = job.purge_after
                artifact.save(update_fields=["job", "purge_after"])
            if job_kind.admit is not None:
                job_kind.admit(job)
            transaction.on_commit(nudge_workers, robust=True)
            return job
    except QuotaExceeded:
        for artifact in artifacts:
            artifact.delete()
        raise


@retrying
def submit_system(kind: str) -> Job | None:
    """Queue one of the site's own jobs, unless one of its kind is unfinished (the database allows only one)."""
    now = timezone.now()
    job = Job(
        kind=kind,
        owner_key=quotas.SYSTEM,
        max_attempts=kinds.get(kind).max_attempts,
        seq=seq_now(),
        created=now,
        purge_after=now + timedelta(hours=settings.JOBS_KEEP_VISITOR_HOURS),
    )
    if not Job.objects.bulk_create([job], ignore_conflicts=True) or not Job.objects.filter(pk=job.pk).exists():
        return None
    transaction.on_commit(nudge_workers, robust=True)
    return job


@retrying
def claim(worker: str, kind_names: Iterable[str], device: str = "") -> Job | None:
    """Take the next waiting job, or None.

    Claims go one at a time, or two workers would each find the same last place of an owner's share free.
    """
    now = timezone.now()
    waiting = Job.objects.filter(state=JobState.QUEUED, kind__in=tuple(kind_names), not_before__lte=now)
    if not waiting.exists():  # an idle look takes no lock
        return None
    candidates = in_turn(waiting)
    with transaction.atomic():
        serialise("claim")
        if connection.features.has_select_for_update_skip_locked:
            candidates = candidates.select_for_update(skip_locked=True, of=("self",))
        job_id = candidates.values_list("pk", flat=True).first()
        if job_id is None:
            return None
        taken = move(
            job_id,
            JobState.QUEUED,
            JobState.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            device=device,
            lease_expires=now + timedelta(seconds=settings.JOBS_LEASE_SECONDS),
            started=now,
            stage="",
            done=0,
            total=0,
        )
        return Job.objects.get(pk=job_id) if taken else None


@retrying
def renew(job_id: UUID, attempt: int) -> bool:
    lease = timezone.now() + timedelta(seconds=settings.JOBS_LEASE_SECONDS)
    return bool(running_row(job_id, attempt).update(lease_expires=lease))


@retrying
def progress(
    job_id: UUID, attempt: int, *, stage: str, done: int, total: int, eta: float | None, seq: int, device: str = ""
) -> bool:
    changes: dict[str, Any] = {"stage": stage, "done": done, "total": total, "eta_seconds": eta}
    if device:
        changes["device"] = device
    return bool(running_row(job_id, attempt).update(seq=Greatest(F("seq") + 1, Value(seq)), **changes))


def standing(job_id: UUID, attempt: int) -> Standing:
    """Whether the attempt still has the job, and whether the person still wants it."""
    asked = running_row(job_id, attempt).values_list("cancel_requested", "enough_requested").first()
    if asked is None:
        return Standing.LOST
    return Standing.CANCEL if asked[0] else Standing.ENOUGH if asked[1] else Standing.OURS


@retrying
def succeed(job_id: UUID, attempt: int, result: Any) -> JobState:
    """Publish the result and end the job, both or neither. A job whose cancel came in time ends as cancelled.
    Raises LeaseLost, with nothing written, when the attempt is stale."""
    with removed_on_failure(), transaction.atomic():
        rows = running_row(job_id, attempt)
        if connection.features.has_select_for_update:
            rows = rows.select_for_update()
        job = rows.first()
        if job is None:
            raise LeaseLost(f"{job_id} attempt {attempt}")
        end = JobState.CANCELLED if job.cancel_requested else JobState.SUCCEEDED
        if end is JobState.SUCCEEDED:
            kinds.get(job.kind).publish(job, result)
        if not move(job_id, JobState.RUNNING, end, held=attempt):
            raise LeaseLost(f"{job_id} attempt {attempt}")
        return end


@retrying
def fail(
    job_id: UUID, attempt: int, code: str, message: Packed, error_id: str = "", *, lease: datetime | None = None
) -> bool:
    template, params = unpacked(message)
    return move(
        job_id,
        JobState.RUNNING,
        JobState.FAILED,
        held=attempt,
        lease=lease,
        error_code=code[:40],
        error_message=template,
        error_params=params,
        error_id=error_id,
    )


@retrying
def cancelled(job_id: UUID, attempt: int, *, lease: datetime | None = None) -> bool:
    return move(job_id, JobState.RUNNING, JobState.CANCELLED, held=attempt, lease=lease)


@retrying
def requeue(
    job_id: UUID, attempt: int, *, delay: float = 0.0, give_back: bool = False, lease: datetime | None = None
) -> bool:
    """Back into the queue, or ended if its cancel was asked for meanwhile.

    `give_back`: the attempt ended by no fault of the job (a drain), so it may have one more.
    """
    if running_row(job_id, attempt).filter(cancel_requested=True).exists():
        return cancelled(job_id, attempt, lease=lease)
    changes: dict[str, Any] = {"worker": "", "stage": "", "done": 0, "total": 0, "eta_seconds": None}
    changes["not_before"] = timezone.now() + timedelta(seconds=delay)
    if give_back:
        changes["max_attempts"] = F("max_attempts") + 1
    return move(job_id, JobState.RUNNING, JobState.QUEUED, held=attempt, lease=lease, **changes)


def retry(
    job: Job, code: str, message: Packed, error_id: str = "", *, delay: float = 0.0, lease: datetime | None = None
) -> bool:
    """After a passing trouble: another attempt if one is left, else failed with `code`."""
    if job.attempt < job.max_attempts:
        return requeue(job.pk, job.attempt, delay=delay, lease=lease)
    return fail(job.pk, job.attempt, code, message, error_id, lease=lease)


@retrying
def cancel(job_id: UUID) -> JobState:
    """Waiting: ended at once. Running: asked to stop; its worker ends it. Ended: nothing. Returns the state after."""
    with transaction.atomic():
        if not move(job_id, JobState.QUEUED, JobState.CANCELLED):
            asked = Job.objects.filter(pk=job_id, state=JobState.RUNNING)
            if asked.update(cancel_requested=True, seq=Greatest(F("seq") + 1, Value(seq_now()))):
                transaction.on_commit(lambda: announce(job_id), robust=True)
        return JobState(Job.objects.values_list("state", flat=True).get(pk=job_id))


def sweep() -> int:
    """Take back the jobs of workers that are gone: their lease ran out, or their process on this machine has ended."""
    now = timezone.now()
    swept = 0
    for job in Job.objects.filter(state=JobState.RUNNING).iterator():
        if (job.lease_expires is not None and job.lease_expires < now) or is_gone(job.worker):
            swept += _take_back(job)
    return swept


@retrying
def _take_back(job: Job) -> bool:
    if job.cancel_requested:
        return cancelled(job.pk, job.attempt, lease=job.lease_expires)
    logger.warning("job %s attempt %s was lost with worker %s", job.pk, job.attempt, job.worker)
    message = _("The work was interrupted several times and has been given up. Please try again later.")
    return retry(job, "worker_lost", message, lease=job.lease_expires)


@retrying
def purge(job_id: UUID) -> bool:
    """Forget an ended job: its files, its parameters, what the app keeps of it. The bare row stays for statistics."""
    with transaction.atomic():
        job = Job.objects.filter(pk=job_id, state__in=TERMINAL).first()
        if job is None:
            return False
        try:
            forget = kinds.get(job.kind).forget
        except kinds.UnknownKind:
            forget = None
        if forget is not None:
            forget(job)
        for artifact in job.artifacts.all():
            artifact.delete()
        return move(
            job_id,
            JobState(job.state),
            JobState.PURGED,
            params={},
            error_message="",
            error_params={},
            session_key="",
            address_hash="",
        )


def forget(job_id: UUID) -> None:
    """The owner wants it gone: purged now if it has ended, else stopped, and purged by the next round."""
    Job.objects.filter(pk=job_id).update(purge_after=timezone.now())
    if cancel(job_id) in TERMINAL:
        purge(job_id)
