"""The kind of job of this app. What the networks do in it is enhancement.handlers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import books, outputs
from jobs.errors import PersonError
from jobs.kinds import JobKind
from jobs.models import Artifact, MadeOutput

from . import estimates
from .exchange import ClipLimits, EnhanceJobRequest
from .publishing import publish
from .refusals import NotSignedIn

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.models import Job

    from .wishes import Wish

NAME: Final = "enhancement"
LONG: Final = "enhancement_long"
VIDEO: Final = "enhancement_video"


def admit(job: Job) -> None:
    """In the transaction that queues the job, whoever called for it: members only, and nothing that was taken down."""
    if job.owner is None or not job.owner.is_active:
        raise NotSignedIn
    for sha256 in job.artifacts.values_list("sha256", flat=True):
        books.kept().check(sha256)


def prepare(job: Job, workdir: Path) -> EnhanceJobRequest:
    """Put the files where the child can read them, with all that it must know of what this site has made."""
    from .models import Enhancement

    enhancement = Enhancement.objects.get(job=job)
    admit(job)  # it may have been taken down while the job waited
    source = _file(job, "source")
    if source is None:
        raise PersonError("deleted", _("The picture was deleted before the work began."))
    truth = _file(job, "truth")
    clip = ClipLimits(
        content_type=source.content_type,
        max_bytes=settings.JOBS_VIDEO_BYTES,
        max_seconds=settings.JOBS_VIDEO_SECONDS,
        max_pixels=settings.JOBS_VIDEO_PIXELS,
        max_frames=settings.JOBS_VIDEO_FRAMES,
    )
    return EnhanceJobRequest(
        path=_copied(source, workdir / "source"),
        task=enhancement.task,
        methods=tuple(enhancement.methods),
        job=str(job.pk),
        kind=job.kind,
        mark=outputs.mark_of(job.pk),
        site=settings.SITE_NAME,
        authority=settings.GENERATION_AUTHORITY_DIR,
        networks=settings.ENHANCEMENT_NETWORKS_DIR,
        scale=enhancement.scale,
        strength=enhancement.strength,
        truth=None if truth is None else _copied(truth, workdir / "truth"),
        suffix=enhancement.file_format,
        # What carries no mark was not generated: a photograph that was enhanced here stays one.
        made_here=MadeOutput.objects.filter(sha256=source.sha256).exclude(mark="").exists(),
        looks=outputs.looks(),
        blocked=tuple(books.kept().looks()),
        clip=clip if job.kind == VIDEO else None,
    )


def _file(job: Job, role: str) -> Artifact | None:
    wanted = job.params.get(role)
    return job.artifacts.filter(pk=wanted).first() if wanted else None


def _copied(artifact: Artifact, folder: Path) -> Path:
    folder.mkdir()
    return artifact.copy_to(folder)


def result_url(job: Job) -> str:
    from .models import Enhancement

    found = Enhancement.objects.filter(job=job).values_list("pk", flat=True).first()
    return reverse("enhancement:result", args=[found]) if found else ""


def forget(job: Job) -> None:
    """With the job goes the enhancement, and its files with the job's artifacts."""
    from .models import Enhancement

    Enhancement.objects.filter(job=job).delete()


def kind_for(wish: Wish, width: int, height: int) -> str:
    """Minutes of work go where nobody's check waits behind them."""
    return LONG if estimates.seconds(wish, width, height) > PATIENCE else NAME


PATIENCE: Final = 20.0  # seconds

KIND: Final = JobKind(
    name=NAME,
    label=gettext_lazy("Enhancement"),
    handler="enhancement.handlers.enhancing.enhance",
    prepare=prepare,
    publish=publish,
    result_url=result_url,
    forget=forget,
    admit=admit,
    stages=(
        ("decode", gettext_lazy("Reading the picture"), 0.10),
        ("enhance", gettext_lazy("Making it, part by part"), 0.65),
        ("measure", gettext_lazy("Measuring what has changed"), 0.15),
        ("seal", gettext_lazy("Signing and verifying"), 0.10),
    ),
    deadline_seconds=600.0,
)
KIND_LONG: Final = replace(KIND, name=LONG, label=gettext_lazy("Large enhancement"), long=True, deadline_seconds=3600.0)
KIND_VIDEO: Final = replace(
    KIND,
    name=VIDEO,
    label=gettext_lazy("Video enhancement"),
    handler="enhancement.handlers.filming.enhance",
    long=True,
    deadline_seconds=3600.0,
    stages=(
        ("decode", gettext_lazy("Reading the video"), 0.10),
        ("enhance", gettext_lazy("Making it, frame by frame"), 0.75),
        ("measure", gettext_lazy("Measuring what has changed"), 0.10),
        ("seal", gettext_lazy("Signing and verifying"), 0.05),
    ),
)
