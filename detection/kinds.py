"""The kinds of job of this app: check a picture, check a video. The detectors' side of them is detection.handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.errors import PersonError
from jobs.kinds import JobKind

from .exchange import CheckJobRequest, VideoJobRequest
from .publishing import publish

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.models import Job

NAME: Final = "check"
VIDEO: Final = "check_video"


def prepare(job: Job, workdir: Path) -> CheckJobRequest:
    """Put the original's bytes where the child can read them; it sees that folder and no database."""
    path = _copy_of_original(job, workdir)
    return CheckJobRequest(path=path, explain=True, max_faces=int(job.params.get("max_faces", 20)))


def prepare_video(job: Job, workdir: Path) -> VideoJobRequest:
    return VideoJobRequest(
        path=_copy_of_original(job, workdir),
        max_bytes=settings.JOBS_VIDEO_BYTES,
        max_seconds=settings.JOBS_VIDEO_SECONDS,
        max_pixels=settings.JOBS_VIDEO_PIXELS,
        max_frames=settings.JOBS_VIDEO_FRAMES,
        samples=settings.DETECTION_VIDEO_SAMPLES,
        max_people=settings.DETECTION_VIDEO_PEOPLE,
    )


def _copy_of_original(job: Job, workdir: Path) -> Path:
    original = job.artifacts.filter(role="original").first()
    if original is None:
        raise PersonError("deleted", _("The file was deleted before it was checked."))
    return original.copy_to(workdir)


def result_url(job: Job) -> str:
    from .models import Check

    check_id = Check.objects.filter(job=job).values_list("pk", flat=True).first()
    return reverse("detection:result", args=[check_id]) if check_id else ""


def forget(job: Job) -> None:
    """With the job goes the check; faces and reports go with it, and the files with the job's artifacts."""
    from .models import Check

    Check.objects.filter(job=job).delete()


CHECK: Final = JobKind(
    name=NAME,
    label=gettext_lazy("Picture check"),
    handler="detection.handlers.check",
    warm="detection.handlers.warm",
    prepare=prepare,
    publish=publish,
    result_url=result_url,
    forget=forget,
    stages=(
        ("decode", gettext_lazy("Reading the picture"), 0.10),
        ("provenance", gettext_lazy("Reading where it comes from"), 0.05),
        ("faces", gettext_lazy("Finding faces"), 0.15),
        ("detectors", gettext_lazy("Asking the detectors"), 0.35),
        ("explain", gettext_lazy("Drawing what they looked at"), 0.25),
        ("verdict", gettext_lazy("Weighing the verdict"), 0.10),
    ),
    deadline_seconds=180.0,
)

CHECK_VIDEO: Final = JobKind(
    name=VIDEO,
    label=gettext_lazy("Video check"),
    handler="detection.handlers.check_video",
    warm="detection.handlers.warm",
    prepare=prepare_video,
    publish=publish,
    result_url=result_url,
    forget=forget,
    stages=(
        ("decode", gettext_lazy("Reading the video"), 0.25),
        ("provenance", gettext_lazy("Reading where it comes from"), 0.02),
        ("faces", gettext_lazy("Finding and following faces"), 0.35),
        ("detectors", gettext_lazy("Asking the detectors"), 0.30),
        ("explain", gettext_lazy("Drawing what they looked at"), 0.05),
        ("verdict", gettext_lazy("Weighing the verdict"), 0.03),
    ),
    deadline_seconds=600.0,
)
