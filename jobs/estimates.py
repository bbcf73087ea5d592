"""How long things take, from what earlier jobs of the kind took, and the place in the queue."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from .states import JobState

if TYPE_CHECKING:
    from datetime import datetime

    from .kinds import JobKind
    from .models import Job

SAMPLE: Final = 41
REMEMBERED_SECONDS: Final = 10.0
_medians: dict[str, tuple[float, float | None]] = {}


def forget_medians() -> None:
    _medians.clear()


def median_seconds(kind: str) -> float | None:
    """Median running time of the latest successful jobs of a kind; None before there is one."""
    from .models import Job

    remembered = _medians.get(kind)
    now = time.monotonic()
    if remembered is not None and now - remembered[0] < REMEMBERED_SECONDS:
        return remembered[1]
    rows = (
        Job.objects.filter(kind=kind, state=JobState.SUCCEEDED, started__isnull=False)
        .order_by("-finished")
        .values_list("started", "finished")[:SAMPLE]
    )
    spans = [(finished - started).total_seconds() for started, finished in rows]
    median = statistics.median(spans) if spans else None
    _medians[kind] = (now, median)
    return median


def eta_seconds(kind: JobKind, fraction: float, elapsed: float, median: float | None) -> float | None:
    """Seconds that remain. At first the earlier jobs know better; later on its own pace counts more and more."""
    by_history = None if median is None else max(0.0, median * (1.0 - fraction))
    by_pace = elapsed / fraction * (1.0 - fraction) if fraction > 0.02 else None
    if by_history is None or by_pace is None:
        estimate = by_pace if by_history is None else by_history
    else:
        estimate = by_history * (1.0 - fraction) + by_pace * fraction
    return None if estimate is None else round(estimate, 1)


def queue_place(job: Job) -> int | None:
    """1 for the next to be claimed. Owners take turns, so of each other owner only as many go first as of one's own."""
    from .models import Job as Jobs

    if job.state != JobState.QUEUED:
        return None
    rows: list[tuple[str, datetime]] = list(
        Jobs.objects.filter(state=JobState.QUEUED, kind=job.kind).values_list("owner_key", "created")
    )
    mine = sum(1 for owner, created in rows if owner == job.owner_key and created < job.created)
    others = Counter(owner for owner, _ in rows if owner != job.owner_key)
    first = {owner: min(created for other, created in rows if other == owner) for owner in others}
    ahead = sum(min(count, mine + (1 if first[owner] <= job.created else 0)) for owner, count in others.items())
    return mine + ahead + 1


def queued_eta_seconds(job: Job, place: int | None) -> float | None:
    """Wait and work together, at the pace of as many jobs side by side as run now."""
    from .models import Job as Jobs

    median = median_seconds(job.kind)
    if median is None or place is None:
        return None
    side_by_side = max(1, Jobs.objects.filter(state=JobState.RUNNING, kind=job.kind).count())
    return round(median * (place / side_by_side + 1), 1)
