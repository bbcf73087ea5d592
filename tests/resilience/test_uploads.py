"""Two hundred uploads at once: each answered, none lost, none done twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.live_site import LiveSite, Visitor

if TYPE_CHECKING:
    from pathlib import Path

    import requests

UPLOADS = 200
GREEDY = 4
VISITORS = GREEDY + UPLOADS // 2
CAP = 25
LIMITS = {"JOBS_GLOBAL_CAP": str(CAP), "JOBS_WAITING_VISITOR": "2"}


def test_two_hundred_uploads_at_once(tmp_path: Path, faceless_jpeg: bytes) -> None:
    site = LiveSite(tmp_path / "var", {**LIMITS, "DJANGO_SETTINGS_MODULE": "tests.resilience.quick_settings"})
    site.start()
    visitors = [site.visitor() for _ in range(VISITORS)]
    try:
        with ThreadPoolExecutor(UPLOADS) as pool:
            list(pool.map(Visitor.token, visitors))

            def upload(number: int) -> tuple[Visitor, requests.Response]:
                # Half of all come from four who want too much, and come first: their share ends before the site's.
                half = UPLOADS // 2
                visitor = visitors[number % GREEDY if number < half else number - half + GREEDY]
                return visitor, visitor.upload(faceless_jpeg, f"photo-{number}.jpg")

            answers = list(pool.map(upload, range(GREEDY)))  # a visitor is one from the first answer's cookie on
            answers += pool.map(upload, range(GREEDY, UPLOADS))
        statuses = Counter(response.status_code for _, response in answers)
        assert set(statuses) <= {202, 429, 503}, statuses
        assert statuses[202] >= CAP - 1, statuses
        assert statuses[503] > 0 and statuses[429] > 0, statuses
        for _, response in answers:
            if response.status_code != 202:
                assert int(response.headers["Retry-After"]) >= 5
                assert response.json()["errors"][0]["message"]

        accepted = [(visitor, check) for visitor, response in answers if response.status_code == 202
                    for check in response.json()["checks"]]  # fmt: skip
        assert len(accepted) == statuses[202]
        for visitor, check in accepted:
            state = visitor.wait(check["job"]["id"])
            assert (state["state"], state["attempt"]) == ("succeeded", 1), f"{state['error']}\n{site.output()}"
        count = site.manage(
            "shell", "--verbosity", "0", "-c",
            "from jobs.models import *; from detection.models import Check;"
            "print(Job.objects.filter(kind='check').count(), Check.objects.exclude(level='').count(),"
            " Artifact.objects.filter(role='original').count(), Artifact.objects.filter(role='display').count())",
        )  # fmt: skip
        assert count.split() == [str(statuses[202])] * 4
    finally:
        for visitor in visitors:
            visitor.http.close()
        site.kill()
