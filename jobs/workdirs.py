"""One directory a running job, for the copy of its original. Nothing of it may stay behind."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from .workplace import is_gone

if TYPE_CHECKING:
    from .models import Job

logger = logging.getLogger(__name__)


def make(job: Job) -> Path:
    """A new directory that carries the name of the worker, so that others see when nobody needs it any more."""
    root = Path(settings.JOBS_WORK_DIR)
    root.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{job.worker}+", dir=root))


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
