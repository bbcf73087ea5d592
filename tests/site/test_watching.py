"""Readiness, metrics and the dashboard: figures that follow the rows, told to those who may know."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from deepfake_site import health, operations
from jobs.models import Job, WorkerHeartbeat
from jobs.states import JobState
from jobs.workplace import worker_name
from tests.detection import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db


def alive(**changes: Any) -> WorkerHeartbeat:
    now = timezone.now()
    row = {"name": worker_name(), "host": "here", "started": now, "seen": now, "device": "CPU (tests)", "running": 1}
    return WorkerHeartbeat.objects.create(**{**row, "kinds": ["check"], **changes})


class TestReadiness:
    def test_with_all_that_is_needed(self, client: Client) -> None:
        alive()
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ready",
            "database": True,
            "channel_layer": True,
            "storage": True,
            "worker": True,
        }
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize("missing", ["database", "channel_layer", "storage", "worker"])
    def test_what_is_missing_is_named(
        self, missing: str, client: Client, settings: SettingsWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alive(seen=timezone.now() - timedelta(minutes=2 if missing == "worker" else 0))
        if missing == "database":

            def down() -> None:
                raise DatabaseError

            monkeypatch.setattr(health.connection, "cursor", down)
        elif missing == "channel_layer":
            settings.CHANNEL_LAYERS = {**settings.CHANNEL_LAYERS, "jobs": {"BACKEND": "tests.site.layers.Broken"}}
        elif missing == "storage":
            (tmp_path / "a-file").write_text("")
            settings.MEDIA_ROOT = tmp_path / "a-file"
        answer = client.get("/readyz")
        assert answer.status_code == 503
        told = answer.json()
        assert told["status"] == "not ready"
        assert told[missing] is False

    def test_a_draining_worker_takes_nothing(self, client: Client) -> None:
        alive(draining=True)
        assert client.get("/readyz").json()["worker"] is False

    def test_trying_the_storage_leaves_nothing(self, client: Client, settings: SettingsWrapper) -> None:
        alive()
        assert client.get("/readyz").status_code == 200
        assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []

    def test_staff_without_a_second_factor_is_no_obstacle(self, client: Client, settings: SettingsWrapper) -> None:
        settings.STAFF_SECOND_FACTOR_REQUIRED = True
        client.force_login(factories.reviewer())
        assert client.get("/readyz").status_code == 503


def read(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


class TestMetrics:
    @pytest.fixture
    def scraper(self, settings: SettingsWrapper) -> dict[str, str]:
        settings.METRICS_TOKEN = "a long and random token"
        return {"Authorization": "Bearer a long and random token"}

    def test_who_may_read(self, client: Client, ada_client: Client, settings: SettingsWrapper) -> None:
        staff = Client()
        staff.force_login(factories.administrator())
        assert staff.get("/metrics").status_code == 200
        for token in ("", "something"):
            settings.METRICS_TOKEN = token
            for person in (client, ada_client):
                for header in ("", "Bearer", "Bearer ", "Bearer wrong", "Basic something", "Bearer something-else"):
                    assert person.get("/metrics", headers={"Authorization": header}).status_code == 403
        assert client.get("/metrics", headers={"Authorization": "Bearer something"}).status_code == 200

    def test_jobs_workers_and_storage(self, client: Client, ada: User, scraper: dict[str, str]) -> None:
        mine = factories.requester(ada)
        done = factories.finished(factories.queued(mine))
        factories.failed(factories.queued(mine), code="truncated")
        waiting = factories.queued(mine)
        now = timezone.now()
        Job.objects.filter(pk=waiting.job_id).update(created=now - timedelta(seconds=90))
        Job.objects.filter(pk=done.job_id).update(started=now - timedelta(seconds=4), finished=now)
        alive()
        told = read(client, **scraper)
        assert told["unmask_jobs", "check", "queued"] == 1
        assert told["unmask_jobs", "check", "succeeded"] == 1
        assert told["unmask_jobs_failed_last_day", "truncated", "check"] == 1
        assert 89 < told["unmask_queue_oldest_seconds", "check"] < 100
        assert told["unmask_queue_oldest_seconds", "check_video"] == 0
        assert told["unmask_job_seconds", "check", "0.5"] == pytest.approx(4, abs=0.01)
        assert told["unmask_workers",] == 1
        assert told["unmask_worker_jobs",] == 1
        assert told["unmask_storage_files", "original"] == 3
        assert told["unmask_storage_bytes", "original"] == 3 * len(factories.jpeg())
        (meso4,) = (each for each in operations.weights() if each.name == "meso4")
        assert told["unmask_weights_info", "meso4", meso4.version] == 1

    def test_requests_by_route_and_never_by_address(self, client: Client, ada: User, scraper: dict[str, str]) -> None:
        check = factories.queued(factories.requester(ada))
        before = read(client, **scraper)
        client.get(check.get_absolute_url())
        client.get("/no/such/page")
        client.generic("BREW", "/")
        answer = client.get("/metrics", headers=scraper).content.decode()
        after = read(client, **scraper)

        def more(*key: str) -> float:
            return after.get(key, 0) - before.get(key, 0)

        assert more("unmask_http_requests_total", "GET", "/checks/<uuid:pk>/", "404") == 1
        assert more("unmask_http_requests_total", "GET", "(none)", "404") == 1
        assert more("unmask_http_requests_total", "OTHER", "/", "405") == 1
        assert more("unmask_http_request_seconds_count", "GET", "/checks/<uuid:pk>/") == 1
        assert str(check.pk) not in answer
        assert "/no/such/page" not in answer

    def test_nothing_secret(self, client: Client, ada: User, scraper: dict[str, str], settings: Any) -> None:
        factories.finished(factories.queued(factories.requester(ada), "private-name.jpg"))
        text = client.get("/metrics", headers=scraper).content.decode()
        for secret in (settings.SECRET_KEY, settings.METRICS_TOKEN, ada.email, "private-name", str(settings.DATA_DIR)):
            assert secret not in text


class TestDashboard:
    @pytest.fixture
    def operator(self) -> Client:
        client = Client()
        client.force_login(factories.administrator())
        return client

    def test_it_shows_what_there_is(self, operator: Client, ada: User) -> None:
        mine = factories.requester(ada)
        factories.finished(factories.queued(mine))
        failed = factories.failed(factories.queued(mine), code="internal")
        alive()
        alive(name="far~away", host="far", seen=timezone.now() - timedelta(minutes=5))
        html = operator.get(reverse("operations")).content.decode()
        for shown in ("0badcafe", str(failed.job_id), "CPU (tests)", "here", "far", "silent", "meso4", "original"):
            assert shown in html, shown
        assert reverse("operations") in operator.get("/admin/").content.decode()

    def test_without_a_worker_it_says_what_to_start(self, operator: Client) -> None:
        assert "manage.py work" in operator.get(reverse("operations")).content.decode()

    def test_its_queries_do_not_grow(self, operator: Client, ada: User, django_assert_max_num_queries: Any) -> None:
        def queries() -> int:
            with django_assert_max_num_queries(60) as captured:
                operator.get(reverse("operations"))
            return len(captured)

        factories.finished(factories.queued(factories.requester(ada)))
        few = queries()
        for _ in range(4):
            factories.finished(factories.queued(factories.requester(ada)))
            factories.failed(factories.queued(factories.requester(ada)))
        assert queries() <= few

    def test_reviewers_have_no_business_there(self) -> None:
        client = Client()
        client.force_login(factories.reviewer())
        assert client.get(reverse("operations")).status_code == 403
        assert reverse("operations") not in client.get("/admin/").content.decode()


def test_weights_are_read_without_loading_them(tmp_path: Path) -> None:
    assert {each.name for each in operations.weights()} >= {"boundary", "meso4", "mesoinception4"}
    assert all(each.bytes for each in operations.weights())
    manifest = tmp_path / "manifest.json"
    assert operations.weights(manifest) == []
    manifest.write_text(json.dumps({"gone": {"file": "gone.npz", "version": "1", "kind": "trained here"}}))
    assert operations.weights(manifest) == [operations.Weights("gone", "1", "trained here", None)]


def test_percentiles() -> None:
    assert operations.percentiles([]) is None
    assert operations.percentiles([3.0]) == (3.0, 3.0)
    median, slow = operations.percentiles([float(n) for n in range(1, 102)]) or (0, 0)
    assert median == pytest.approx(51)
    assert slow == pytest.approx(96)


def test_what_the_purge_forgot(ada: User) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    assert operations.overdue() == 0
    Job.objects.filter(pk=check.job_id).update(purge_after=timezone.now() - timedelta(hours=2))
    assert operations.overdue() == 1
    assert operations.ended_since(JobState.SUCCEEDED, timezone.now() - timedelta(days=1)) == {"check": 1}
