"""The two tables of the app. `jobs.lifecycle` is the only writer of `Job.state`."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .files import written
from .heartbeat import WorkerHeartbeat
from .outputs import MadeOutput
from .sentences import told
from .states import TERMINAL, UNFINISHED, JobState

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from .kinds import JobKind
    from .requester import Requester

__all__ = ["Artifact", "Job", "MadeOutput", "OwnedQuerySet", "WorkerHeartbeat"]

STATES = tuple((state.value, state.value.capitalize()) for state in JobState)


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a member, or to a visitor's session."""

    def visible_to(self, requester: Requester) -> Self:
        """What the requester may see: their own. Nobody (no session yet) sees nothing."""
        if requester.user is not None:
            return self.filter(owner=requester.user)
        if requester.session_key:
            return self.filter(owner__isnull=True, session_key=requester.session_key)
        return self.none()


class JobQuerySet(OwnedQuerySet):
    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def terminal(self) -> Self:
        return self.filter(state__in=TERMINAL)


class Job(models.Model):
    """One piece of work, from the upload to the purge. The row is the truth; channels only wake those who read it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=STATES, default=JobState.QUEUED.value)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs"
    )
    session_key = models.CharField(max_length=40, blank=True, default="")
    owner_key = models.CharField(max_length=60, blank=True, default="")  # what shares are counted by
    address_hash = models.CharField(max_length=32, blank=True, default="")

    params = models.JSONField(default=dict, blank=True)

    # `attempt` only ever grows: it is the fencing token in every WHERE. A drain gives the attempt back by raising
    # `max_attempts`, never by lowering `attempt`.
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    not_before = models.DateTimeField(default=timezone.now)
    lease_expires = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=80, blank=True, default="")
    device = models.CharField(max_length=120, blank=True, default="")
    cancel_requested = models.BooleanField(default=False)
    enough_requested = models.BooleanField(default=False)  # finish with what there is

    stage = models.CharField(max_length=40, blank=True, default="")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    eta_seconds = models.FloatField(null=True, blank=True)
    shown = models.JSONField(default=dict, blank=True)  # of unfinished work: jobs.midway
    seq = models.BigIntegerField(default=0)

    error_code = models.CharField(max_length=40, blank=True, default="")
    error_message = models.TextField(blank=True, default="")  # in English, its values apart: jobs.sentences
    error_params = models.JSONField(blank=True, default=dict)
    error_id = models.CharField(max_length=16, blank=True, default="")

    created = models.DateTimeField(default=timezone.now, editable=False)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    purge_after = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-created",)
        constraints = (
            models.CheckConstraint(name="job_state_known", condition=Q(state__in=[s.value for s in JobState])),
            models.CheckConstraint(
                name="job_leased_while_running",
                condition=(Q(state="running", lease_expires__isnull=False) & ~Q(worker=""))
                | (~Q(state="running") & Q(lease_expires__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_finished_when_terminal",
                condition=(Q(state__in=("queued", "running"), finished__isnull=True))
                | (~Q(state__in=("queued", "running")) & Q(finished__isnull=False)),
            ),
            models.CheckConstraint(name="job_failure_has_code", condition=~Q(state="failed") | ~Q(error_code="")),
            models.UniqueConstraint(
                name="job_one_system_job_of_a_kind",
                fields=("kind",),
                condition=Q(owner_key="system", state__in=("queued", "running")),
            ),
        )
        indexes = (
            models.Index(name="job_queue", fields=("created",), condition=Q(state="queued")),
            models.Index(name="job_leases", fields=("lease_expires",), condition=Q(state="running")),
            models.Index(name="job_owner_state", fields=("owner_key", "state")),
            models.Index(name="job_owner_started", fields=("owner_key", "started")),
            models.Index(name="job_kind_finished", fields=("kind", "finished"), condition=Q(state="succeeded")),
            models.Index(name="job_purge", fields=("purge_after",), condition=~Q(state="purged")),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    @property
    def job_kind(self) -> JobKind:
        from . import kinds

        return kinds.get(self.kind)

    @property
    def error_text(self) -> str:
        """Why it failed, in the reader's language."""
        return told(self.error_message, self.error_params)

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL


def file_path(artifact: Artifact, filename: str) -> str:
    """A random place in a directory of its own; of the given name only a plain suffix is kept."""
    suffix = Path(filename).suffix.lower()
    if not (1 < len(suffix) <= 6 and suffix[1:].isalnum() and suffix.isascii()):
        suffix = ""
    return f"artifacts/{secrets.token_hex(1)}/{artifact.id.hex}/{secrets.token_hex(16)}{suffix}"


class Artifact(models.Model):
    """One stored file. An `original` is evidence as it came; all others were encoded by us from pixels."""

    ORIGINAL = "original"
    PREVIEW = "preview"  # of unfinished work: one a job, until a better one comes
    BEFORE = "before"  # what was given, as its pixels are: to lay beside what was made of it, for its owner alone
    LEARNED = "learned"  # weights that know a person: worked with, never given out

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.CharField(max_length=40)
    file = models.FileField(upload_to=file_path, max_length=200)
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=80)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    original_name = models.CharField(max_length=200, blank=True, default="")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="artifacts"
    )
    session_key = models.CharField(max_length=40, blank=True, default="")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.CASCADE, related_name="artifacts")
    created = models.DateTimeField(default=timezone.now, editable=False)
    purge_after = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")
        ordering = ("-created",)
        indexes = (
            models.Index(name="artifact_session", fields=("session_key",)),
            models.Index(name="artifact_purge", fields=("purge_after",)),
            models.Index(name="artifact_file", fields=("file",)),
        )

    def __str__(self) -> str:
        return f"{self.role} {self.id}"

    @property
    def url(self) -> str:
        from django.urls import reverse

        return reverse("jobs:artifact", args=[self.id, self.public_name])

    @property
    def public_name(self) -> str:
        """The name in addresses and downloads: never the uploader's, which may say more than they meant to show."""
        return f"{self.role}{Path(self.file.name or '').suffix}"

    def copy_to(self, directory: Path) -> Path:
        """Copy the stored bytes into `directory`, from wherever the storage keeps them, and return the path."""
        path = directory / Path(str(self.file.name)).name
        with self.file.open("rb") as stored, path.open("wb") as copy:
            while chunk := stored.read(1024 * 1024):
                copy.write(chunk)
        return path

    @classmethod
    def store(
        cls,
        *,
        role: str,
        data: bytes,
        content_type: str,
        suffix: str,
        job: Job,
        width: int | None = None,
        height: int | None = None,
    ) -> Artifact:
        """Keep bytes that a job made, for the owner of that job and for as long."""
        artifact = cls(
            role=role,
            sha256=hashlib.sha256(data).hexdigest(),
            content_type=content_type,
            size=len(data),
            width=width,
            height=height,
            owner_id=job.owner_id,
            session_key=job.session_key,
            job=job,
            purge_after=job.purge_after,
        )
        artifact.file.save(f"{role}{suffix}", ContentFile(data), save=False)
        written(artifact.file.storage, str(artifact.file.name))
        artifact.save()
        return artifact

    def copy(self, *, owner: User | None, purge_after: datetime) -> Artifact:
        """The same bytes once more, for another job: one file belongs to one job, and goes with it.

        Raises FileNotFoundError where the file is gone.
        """
        copied = Artifact(
            role=self.role,
            sha256=self.sha256,
            content_type=self.content_type,
            size=self.size,
            width=self.width,
            height=self.height,
            original_name=self.original_name,
            owner=owner,
            purge_after=purge_after,
        )
        with self.file.open("rb") as stored:  # piece by piece: a clip may be large
            copied.file.save(self.public_name, File(stored), save=False)
        written(copied.file.storage, str(copied.file.name))
        copied.save()
        return copied
