"""Run by test_claims in a process of its own, on the database that DATABASE_URL names: claims from several connections.

Prints one JSON object. A module of its own because the suite's Django is bound to SQLite.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.db import connection, connections, transaction

from jobs import lifecycle
from jobs.models import Job
from jobs.requester import Requester
from jobs.states import JobState

THREADS = 8


def submit(number: int) -> str:
    return str(lifecycle.submit("check", Requester(user=None, session_key=f"visitor{number}")).pk)


def claim_all(barrier: threading.Barrier, worker: str) -> list[str]:
    """Claim until nothing is left, starting at the same moment as the other threads."""
    mine: list[str] = []
    try:
        barrier.wait(30)
        while (job := lifecycle.claim(worker, ["check"])) is not None:
            mine.append(str(job.pk))
    finally:
        connections.close_all()
    return mine


def race(jobs: int) -> dict[str, object]:
    submitted = [submit(number) for number in range(jobs)]
    barrier = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda number: claim_all(barrier, f"worker{number}"), range(THREADS)))
    return {
        "submitted": sorted(submitted),
        "claimed": sorted(job for jobs in found for job in jobs),
        "workers": sum(bool(jobs) for jobs in found),
        "attempts": sorted(Job.objects.filter(kind="check").values_list("attempt", flat=True)),
    }


def skip_locked() -> dict[str, object]:
    """While another transaction holds the first waiting row, a claim takes the second and does not wait."""
    Job.objects.all().delete()
    first, second = submit(1), submit(2)
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Job.objects.select_for_update().get(pk=first)
                locked.set()
                release.wait(30)
        finally:
            locked.set()
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(30)
    before = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        claimed = lifecycle.claim("worker", ["check"])
    seconds = time.monotonic() - before
    release.set()
    holder.join()
    return {
        "first": first,
        "second": second,
        "claimed": str(claimed.pk) if claimed else None,
        "seconds": seconds,
        "first_state": Job.objects.get(pk=first).state == JobState.QUEUED,
    }


if __name__ == "__main__":
    json.dump({"race": race(int(sys.argv[1])), "skip_locked": skip_locked(), "vendor": connection.vendor}, sys.stdout)
