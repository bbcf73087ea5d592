"""The review desk with ten thousand flagged items: how quick its pages are in the embedded default."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import Table
from tests.live_site import LiveSite

if TYPE_CHECKING:
    import requests

    from tests.live_site import Visitor

ITEMS = 10_000
REQUESTS = 60  # of each page
WANTED = 0.300  # seconds, p95
PASSWORD = "a long enough password"  # noqa: S105 - of a site that lives for one benchmark
# Rows as the site would have made them, without ten thousand inferences: what a page costs depends on the rows.
FILL = """
import random, uuid
from datetime import timedelta
from django.contrib.auth.models import Group, User
from django.utils import timezone
from detection.desk.codes import Reason
from detection.desk.flags import REPORT_WEIGHTS, WEIGHTS, urgency_of
from detection.models import Check, FaceFinding, Flag, JudgementEntry, Report, ReviewItem
from jobs.models import Job
random.seed(7)
user = User.objects.create_user("rita", "rita@unmask.example", "{password}", is_staff=True)
user.groups.add(Group.objects.get(name="administrator"))
now, levels = timezone.now(), ["inconclusive", "likely_manipulated", "likely_authentic"]
jobs, checks, items, flags, faces, reports, entries = [], [], [], [], [], [], []
for number in range({items}):
    made = now - timedelta(minutes=random.randrange(60 * 24 * 60))
    job = Job(kind="check", state="succeeded", owner_key=f"session:v{{number}}", session_key=f"v{{number}}",
              created=made, finished=made)
    level = random.choice(levels)
    check = Check(job=job, session_key=job.session_key, title=f"photo-{{number}}.jpg", level=level, created=made,
                  probability=random.random(), band_low=0.29, band_high=0.89, width=1200, height=800,
                  reason_code="between_thresholds", media=random.choice(["picture"] * 9 + ["video"]))
    reasons = random.sample(list(WEIGHTS), random.choice([1, 1, 1, 2]))
    weights = [WEIGHTS[reason] for reason in reasons]
    item = ReviewItem(subject=check, flagged=made)
    if random.random() < 0.2:
        code = random.choice(list(REPORT_WEIGHTS))
        reports.append(Report(subject=check, reason=code, session_key=job.session_key, created=made))
        reasons.append(Reason.REPORTED)
        weights.append(REPORT_WEIGHTS[code])
    item.urgency = urgency_of(weights)
    flags += [Flag(item=item, reason=r, weight=w, detail={{}}) for r, w in zip(reasons, weights)]
    jobs.append(job); checks.append(check); items.append(item)
    faces += [FaceFinding(subject=check, index=n, x0=10, y0=10, x1=200, y1=200, level=level, probability=0.5,
                          detectors={{"boundary": 0.5, "meso4": 0.4}}) for n in range(2)]
    if number % 2:
        entries.append(JudgementEntry(check_ref=check.pk, event="settled", created=made, media=check.media,
                                      verdict=random.choice(["authentic", "manipulated", "unsure"]),
                                      machine_level=level, waited_seconds=random.random() * 1e5))
    entries.append(JudgementEntry(check_ref=check.pk, event="flagged", created=made, media=check.media))
for rows in (jobs, checks, items, flags, faces, reports, entries):
    type(rows[0]).objects.bulk_create(rows, batch_size=500)
print("filled", ReviewItem.objects.count())
"""


def measure() -> list[Table]:
    """Fill a site of its own, sign in as staff, and ask for each page as a browser does."""
    with tempfile.TemporaryDirectory() as folder:
        site = LiveSite(Path(folder) / "data", {"UNMASK_LOG_LEVEL": "WARNING"})
        try:
            site.start()
            filled = site.manage("shell", "--command", FILL.format(password=PASSWORD, items=ITEMS))
            if f"filled {ITEMS}" not in filled:
                raise RuntimeError(filled)
            visitor = site.visitor()
            sign_in(visitor)
            return [_pages(visitor)]
        finally:
            site.stop()


def sign_in(visitor: Visitor) -> None:
    answer = visitor.post("/accounts/login/", data={"login": "rita@unmask.example", "password": PASSWORD})
    if answer.status_code not in {200, 302}:
        answer.raise_for_status()


def _pages(visitor: Visitor) -> Table:
    taken = _post(visitor, "/review/next").headers["Location"]
    last = (ITEMS + 24) // 25
    addresses = {
        "the queue": "/review/",
        "its middle page": f"/review/?page={last // 2}",
        "oldest first": "/review/?order=oldest",
        "of one reason": "/review/?reason=reported",
        "of one reason, level and kind": "/review/?reason=inconclusive&level=inconclusive&media=video",
        "one item, held": taken,
        "the figures": "/review/figures/",
    }
    table = Table(
        "The review desk",
        ("page", "p50", "p95"),
        about=f"{ITEMS} open items on SQLite, `manage.py serve` with nothing else to do, {REQUESTS} requests of each.",
    )
    for words, address in addresses.items():
        seconds = _get(visitor, address)
        middle, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        table.rows.append((words, f"{1e3 * middle:.0f} ms", f"{1e3 * p95:.0f} ms"))
        table.held.append((f"{words}: p95 under {1e3 * WANTED:.0f} ms", p95 < WANTED))
    claims = _claims(visitor)
    p95 = statistics.quantiles(claims, n=20)[-1]
    table.rows.append(("taking the next one", f"{1e3 * statistics.median(claims):.0f} ms", f"{1e3 * p95:.0f} ms"))
    table.held.append((f"taking the next one: p95 under {1e3 * WANTED:.0f} ms", p95 < WANTED))
    return table


def _get(visitor: Visitor, address: str) -> list[float]:
    found = []
    for turn in range(REQUESTS + 3):  # the first ones compile templates
        start = time.perf_counter()
        answer = visitor.http.get(f"{visitor.url}{address}", headers={"Accept": "text/html"}, timeout=60)
        answer.raise_for_status()
        if turn >= 3:
            found.append(time.perf_counter() - start)
    if not re.search(r"class=\"desk-", answer.text):
        raise RuntimeError(f"{address} is not the desk")
    return found


def _claims(visitor: Visitor) -> list[float]:
    """Skip, which puts one item back and takes up the next."""
    found = []
    at = _post(visitor, "/review/next").headers["Location"]
    for _ in range(REQUESTS):
        start = time.perf_counter()
        at = _post(visitor, f"{at}skip").headers["Location"]
        found.append(time.perf_counter() - start)
    return found


def _post(visitor: Visitor, address: str) -> requests.Response:
    answer = visitor.post(address, headers={"Accept": "text/html"})
    answer.raise_for_status()
    return answer
