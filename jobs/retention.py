"""Forgetting in time: purge of what has had its time, and a scan both ways for files and rows that lost each other."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import lifecycle
from .kinds import JobKind
from .models import Artifact, Job
from .quotas import SYSTEM
from .states import TERMINAL, JobState

if TYPE_CHECKING:
    from datetime import datetime

    from django.core.files.storage import Storage

logger = logging.getLogger(__name__)

Report = Callable[[str, int, int], None]
ROOT: Final = "artifacts"
OWN_DEPTH: Final = 2  # of the directory of one artifact, in slashes: jobs.models.file_path
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Purged:
    jobs: int = 0
    unattached: int = 0
    files_without_rows: int = 0
    rows_without_files: int = 0


def purge_due(report: Report) -> tuple[int, int]:
    """Purge every ended job whose time is over, and uploads that never became part of a job."""
    now = timezone.now()
    # Nobody will come for what still waits when its time is over; cancelled first, since only ended jobs are purged.
    for job_id in Job.objects.filter(state=JobState.QUEUED, purge_after__lt=now).values_list("pk", flat=True):
        lifecycle.cancel(job_id)
    due = list(Job.objects.filter(state__in=TERMINAL, purge_after__lt=now).values_list("pk", flat=True))
    purged = 0
    for done, job_id in enumerate(due):
        try:
            purged += lifecycle.purge(job_id)
        except Exception:
            logger.exception("error %s: job %s could not be purged", secrets.token_hex(4), job_id)
        report("purge", done + 1, len(due))
    Job.objects.filter(owner_key=SYSTEM, state=JobState.PURGED).delete()  # of the site's own jobs nothing is kept
    # A job may be kept for the sake of some of its files; the others go when their own time is over.
    for artifact in Artifact.objects.filter(job__state__in=TERMINAL, purge_after__lt=now).iterator():
        artifact.delete()
    alone = Artifact.objects.filter(job__isnull=True, created__lt=now - _grace())
    unattached = 0
    for artifact in alone.iterator():
        artifact.delete()
        unattached += 1
    return purged, unattached


def _grace() -> timedelta:
    """Younger files may belong to a transaction that has not ended yet."""
    return timedelta(minutes=settings.JOBS_ORPHAN_GRACE_MINUTES)


def _walk(storage: Storage, directory: str, oldest_kept: datetime) -> Iterator[str]:
    try:
        directories, files = storage.listdir(directory)
    except FileNotFoundError:
        return
    for name in files:
        yield f"{directory}/{name}"
    for name in directories:
        yield from _walk(storage, f"{directory}/{name}", oldest_kept)
    # Every artifact has a directory to itself. Those above are anybody's, and one may be about to be written into.
    if not directories and not files and directory.count("/") == OWN_DEPTH and _is_old(storage, directory, oldest_kept):
        with contextlib.suppress(OSError):
            storage.delete(directory)


def _is_old(storage: Storage, name: str, oldest_kept: datetime) -> bool:
    try:
        return bool(storage.get_modified_time(name) < oldest_kept)
    except FileNotFoundError:  # its owner has just deleted it
        return False


def files_without_rows(report: Report) -> int:
    storage = Artifact._meta.get_field("file").storage
    oldest_kept = timezone.now() - _grace()
    removed = 0
    batch: list[str] = []

    def remove_orphans() -> int:
        known = set(Artifact.objects.filter(file__in=batch).values_list("file", flat=True))
        orphans = [name for name in batch if name not in known and _is_old(storage, name, oldest_kept)]
        for name in orphans:
            logger.warning("file without a row removed: %s", name)
            storage.delete(name)
        return len(orphans)

    for count, name in enumerate(_walk(storage, ROOT, oldest_kept)):
        batch.append(name)
        if len(batch) == BATCH:
            removed += remove_orphans()
            batch.clear()
            report("files", count + 1, 0)
    return removed + remove_orphans()


def rows_without_files(report: Report) -> int:
    """A row whose file is gone promises what cannot be kept: it is removed, and the views then answer 404.

    Where the whole store is away (a volume that is not mounted), its rows are not what is wrong, and all of them stay.
    """
    storage = Artifact._meta.get_field("file").storage
    if Artifact.objects.exists() and not storage.exists(ROOT):
        logger.error("error %s: the file storage is empty or not there; no row was removed", secrets.token_hex(4))
        return 0
    removed = 0
    for count, artifact in enumerate(Artifact.objects.order_by("pk").iterator(chunk_size=BATCH)):
        if not artifact.file.name or not artifact.file.storage.exists(artifact.file.name):
            logger.warning("row without a file removed: artifact %s of job %s", artifact.pk, artifact.job_id)
            artifact.delete()
            removed += 1
        if count % BATCH == 0:
            report("rows", count + 1, 0)
    return removed


def expired_sessions() -> None:
    """Visitors are their sessions: what is kept of one that has ended is of no use to anybody."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def purge_handler(request: Any, report: Report) -> Purged:
    expired_sessions()
    jobs, unattached = purge_due(report)
    without_rows = files_without_rows(report)
    result = Purged(jobs, unattached, without_rows, rows_without_files(report))
    logger.info("purge: %s", result)
    return result


PURGE: Final = JobKind(
    name="purge",
    label=_("Purge"),
    handler="jobs.retention.purge_handler",
    stages=(
        ("purge", _("Forgetting what has had its time"), 2.0),
        ("files", _("Files"), 1.0),
        ("rows", _("Rows"), 1.0),
    ),
    deadline_seconds=1800,
    max_attempts=3,
    stall_seconds=600,
    in_worker=True,
)
