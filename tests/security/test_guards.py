"""What stands in front of every page: limits of bodies, headers, methods, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from deepfake_site import health
from detection.models import Check
from tests.detection import factories

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("length", ["999999999999", "9" * 40, "-1", "12abc"])
@pytest.mark.parametrize("address", ["/", "/api/v1/checks", "/accounts/login/"])
def test_bodies_beyond_every_limit_are_refused_unread(length: str, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(address, {"files": factories.upload()}, CONTENT_LENGTH=length)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    assert not Check.objects.exists()
    browser = client.post(address, CONTENT_LENGTH=length, headers={"Accept": "text/html,*/*;q=0.8"})
    assert browser.status_code == 413
    assert browser["Content-Type"].startswith("text/plain")
    assert "MB" in browser.content.decode()


def test_a_body_of_the_largest_allowed_files_passes(client: Client, settings: SettingsWrapper) -> None:
    from deepfake_site.middleware import BodyLimitMiddleware

    guard = BodyLimitMiddleware(lambda request: None)
    allowed = settings.JOBS_PICTURE_BYTES * settings.DETECTION_FILES_AT_ONCE
    assert not guard.too_large(str(allowed + 10_000))
    assert guard.too_large(str(allowed + 2 * 1024 * 1024))


def test_headers_of_pages(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    for address in ("/", "/checks/", check.get_absolute_url(), reverse("detection:method"), "/accounts/login/"):
        page = ada_client.get(address, follow=True)
        policy = page["Content-Security-Policy"]
        assert "script-src 'self'" in policy, address
        assert "style-src 'self'" in policy
        assert "'unsafe-inline'" not in policy
        assert "'unsafe-eval'" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page["X-Content-Type-Options"] == "nosniff"
        assert page["X-Frame-Options"] == "DENY"
        assert page["Referrer-Policy"] == "same-origin"


def test_pages_about_pictures_are_kept_by_no_cache(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    for address in ("/", "/checks/", check.get_absolute_url(), "/account/tokens/"):
        assert "no-store" in ada_client.get(address)["Cache-Control"], address


@pytest.mark.parametrize("name", ["delete", "retry", "share", "unshare", "report"])
def test_nothing_is_changed_by_a_link(name: str, ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada)))
    assert ada_client.get(reverse(f"detection:{name}", args=[check.pk])).status_code == 405
    assert Check.objects.filter(pk=check.pk, share_token=None).exists()


def test_health(client: Client, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper, tmp_path: Path) -> None:
    well = client.get("/healthz")
    assert (well.status_code, well.json()) == (200, {"status": "ok", "database": True, "data_dir": True})
    settings.DATA_DIR = tmp_path / "gone"
    ill = client.get("/healthz")
    assert (ill.status_code, ill.json()["data_dir"]) == (503, False)

    def broken() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(health.connection, "cursor", broken)
    ill = client.get("/healthz")
    assert (ill.status_code, ill.json()["database"]) == (503, False)


def test_robots_leave_peoples_pictures_alone(client: Client) -> None:
    told = client.get("/robots.txt")
    assert told["Content-Type"].startswith("text/plain")
    lines = told.content.decode().splitlines()
    assert "User-agent: *" in lines
    for address in ("/checks/", "/s/", "/files/", "/api/"):
        assert f"Disallow: {address}" in lines


def test_doors_that_are_not_open_yet_say_so(client: Client) -> None:
    for name in ("generation:home", "enhancement:home"):
        page = client.get(reverse(name))
        assert page.status_code == 200
        assert "<form" not in page.content.decode().split("<main")[1].split("</main>")[0]
