"""The one kind of job of this app: check a picture. The detectors' side of it is detection.handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.errors import PersonError
from jobs.kinds import JobKind

from .exchange import CheckJobRequest
from .publishing import publish

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.models import Job

NAME: Final = "check"


def prepare(job: Job, workdir: Path) -> CheckJobRequest:
    """Put the original's bytes where the child can read them; it sees that folder and no database."""
    original = job.artifacts.filter(role="original").first()
    if original is None:
        raise PersonError("deleted", _("The picture was deleted before it was checked."))
    return CheckJobRequest(path=original.copy_to(workdir), explain=True, max_faces=int(job.params.get("max_faces", 20)))


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
