"""How the site is doing, as figures: for the dashboard of its operators and for what watches it."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.utils import timezone

from jobs import kinds
from jobs.models import Artifact, Job, WorkerHeartbeat
from jobs.states import JobState

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

MANIFEST: Final = settings.BASE_DIR / "ml" / "weights" / "manifest.json"  # read as data: this process loads no network
LIBRARIES: Final = ("django", "channels", "daphne", "tensorflow", "keras", "mediapipe", "opencv-contrib-python", "av")
SAMPLE: Final = 500  # of the newest jobs of a kind: enough for a median, and never a walk through the whole table
FAILURES_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind of job. Times in seconds, of those that succeeded within a day; None where there was none."""

    name: str
    label: str
    waiting: int
    oldest: float | None  # how long the one that waits longest has waited
    running: int
    succeeded: int
    failed: int
    median: float | None
    slow: float | None  # 95 of 100 took less


@dataclass(frozen=True, slots=True)
class Weights:
    name: str
    version: str
    kind: str
    bytes: int | None  # None: the file is not there


@dataclass(frozen=True, slots=True)
class Disk:
    used: int
    free: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.used / self.total) if self.total else 0


def states_by_kind() -> dict[tuple[str, str], int]:
    rows = Job.objects.order_by().values_list("kind", "state").annotate(count=Count("pk"))
    return {(kind, state): count for kind, state, count in rows}


def oldest_waiting() -> dict[str, float]:
    now = timezone.now()
    queued = Job.objects.filter(state=JobState.QUEUED).order_by().values_list("kind").annotate(since=Min("created"))
    return {kind: max(0.0, (now - since).total_seconds()) for kind, since in queued}


def seconds_taken(kind: str, since: datetime) -> list[float]:
    done = Job.objects.filter(kind=kind, state=JobState.SUCCEEDED, finished__gt=since, started__isnull=False)
    times = done.order_by("-finished").values_list("started", "finished")[:SAMPLE]
    return [(finished - started).total_seconds() for started, finished in times]


def percentiles(values: list[float]) -> tuple[float, float] | None:
    """The median and the 95th percentile."""
    if not values:
        return None
    if len(values) == 1:
        return values[0], values[0]
    cuts = quantiles(values, n=20, method="inclusive")
    return cuts[9], cuts[18]


def ended_since(state: JobState, since: datetime) -> dict[str, int]:
    ended = Job.objects.filter(state=state, finished__gt=since).order_by()
    return dict(ended.values_list("kind").annotate(count=Count("pk")))


def by_kind() -> list[KindFigures]:
    day = timezone.now() - timedelta(days=1)
    states, oldest = states_by_kind(), oldest_waiting()
    succeeded, failed = ended_since(JobState.SUCCEEDED, day), ended_since(JobState.FAILED, day)
    names = {kind.name: str(kind.label) for kind in kinds.registered()}
    names |= {kind: kind for kind, _state in states if kind not in names}
    figures = []
    for name, label in sorted(names.items()):
        times = percentiles(seconds_taken(name, day)) if succeeded.get(name) else None
        figures.append(
            KindFigures(
                name,
                label,
                states.get((name, JobState.QUEUED), 0),
                oldest.get(name),
                states.get((name, JobState.RUNNING), 0),
                succeeded.get(name, 0),
                failed.get(name, 0),
                times and times[0],
                times and times[1],
            )
        )
    return figures


def failures(days: int) -> list[Job]:
    """The newest first. Those with an id are found in the log by it."""
    since = timezone.now() - timedelta(days=days)
    failed = Job.objects.filter(state=JobState.FAILED, finished__gt=since)
    return list(failed.order_by("-finished")[:FAILURES_SHOWN])


def failures_by_code(since: datetime) -> dict[tuple[str, str], int]:
    failed = Job.objects.filter(state=JobState.FAILED, finished__gt=since).order_by()
    rows = failed.values_list("kind", "error_code").annotate(count=Count("pk"))
    return {(kind, code): count for kind, code, count in rows}


def workers() -> list[WorkerHeartbeat]:
    return list(WorkerHeartbeat.objects.all())


def devices(since: datetime) -> list[tuple[str, int]]:
    """On what the jobs of late have run, and how many."""
    ran = Job.objects.filter(started__gt=since).exclude(device="").order_by()
    return list(ran.values_list("device").annotate(count=Count("pk")).order_by("-count"))


def retried(since: datetime) -> int:
    return Job.objects.filter(finished__gt=since, attempt__gt=1).count()


def stored() -> list[tuple[str, int, int]]:
    """Role, files and bytes of what is stored, the largest first."""
    rows = Artifact.objects.order_by().values_list("role").annotate(files=Count("pk"), bytes=Sum("size"))
    return sorted(((role, files, size) for role, files, size in rows), key=lambda row: -row[2])


def overdue() -> int:
    """Ended jobs that should have been purged an hour ago: the purge does not run."""
    late = timezone.now() - timedelta(hours=1)
    return Job.objects.terminal().filter(purge_after__lt=late).count()


def disk() -> Disk:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Disk(usage.used, usage.free, usage.total)


def weights(manifest: Path = MANIFEST) -> list[Weights]:
    """What the manifest of the shipped networks lists, and whether the files are there."""
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    found = []
    for name, facts in sorted(told.items()):
        path = manifest.parent / str(facts.get("file", ""))
        size = path.stat().st_size if path.is_file() else None
        found.append(Weights(name, str(facts.get("version", "")), str(facts.get("kind", "")), size))
    return found


def versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    for name in LIBRARIES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "-"))
    return found
