"""Two directories of a running job: one of the attempt, for copies of files, and one that outlives it, to go on from.

Nothing of either may stay behind.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings

from .workplace import is_gone

if TYPE_CHECKING:
    from .models import Job

logger = logging.getLogger(__name__)

_LASTING: Final = "job+"


def make(job: Job) -> Path:
    """A new directory that carries the name of the worker, so that others see when nobody needs it any more."""
    root = Path(settings.JOBS_WORK_DIR)
    root.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{job.worker}+", dir=root))


def lasting(job: Job) -> Path:
    """The directory of the job itself: what one attempt leaves in it the next one finds. It goes when the job ends."""
    folder = Path(settings.JOBS_WORK_DIR) / f"{_LASTING}{job.pk.hex}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def forget(job_id: UUID) -> None:
    shutil.rmtree(Path(settings.JOBS_WORK_DIR) / f"{_LASTING}{job_id.hex}", ignore_errors=True)


def remove_ended() -> int:
    """Remove the lasting directories of jobs that have ended or are not there any more, in case nobody did when they
    ended. Returns how many."""
    from .models import Job

    root = Path(settings.JOBS_WORK_DIR)
    found = {UUID(path.name.removeprefix(_LASTING)) for path in root.glob(f"{_LASTING}*")}
    ended = found - set(Job.objects.unfinished().filter(pk__in=found).values_list("pk", flat=True))
    for job_id in ended:
        forget(job_id)
    return len(ended)


def remove_abandoned() -> int:
    """Remove what workers of this machine left that were killed. Returns how many directories."""
    root = Path(settings.JOBS_WORK_DIR)
    if not root.is_dir():
        return 0
    abandoned = [path for path in root.iterdir() if is_gone(path.name.partition("+")[0])]
    for path in abandoned:
        logger.info("directory of a worker that is gone removed: %s", path.name)
        shutil.rmtree(path, ignore_errors=True)
    return len(abandoned)
