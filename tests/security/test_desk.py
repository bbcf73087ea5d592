"""Every page of the desk opens, for those who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from detection import services
from detection.models import ApiToken
from jobs.models import Job
from jobs.states import JobState
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
OURS = {"jobs", "detection"}


@pytest.fixture
def desk(ada: User) -> Client:
    check = factories.finished(factories.queued(factories.requester(ada)))
    services.report_check(check, factories.requester(ada), "other")
    factories.failed(factories.queued(factories.requester(ada)))
    ApiToken.issue(ada, "laptop")
    client = Client()
    client.force_login(factories.administrator())
    return client


def test_every_list_search_and_row_opens(desk: Client) -> None:
    assert {model._meta.app_label for model in admin.site._registry} >= OURS
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label not in OURS:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = desk.get(reverse(f"{name}_changelist"), {"q": "x"})
        assert listed.status_code == 200, name
        assert desk.get(reverse(f"{name}_changelist")).status_code == 200
        row = model.objects.first()
        assert row is not None, f"no row of {name} to look at"
        assert desk.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
        assert not model_admin.has_add_permission(listed.wsgi_request), name


def test_no_secret_is_on_the_desk(desk: Client, ada: User) -> None:
    visitor = factories.requester(session_key="key-of-a-session")
    check = factories.finished(factories.queued(visitor))
    token = services.share_check(check)
    for name, pk in (
        ("detection_check", check.pk),
        ("jobs_job", check.job_id),
        ("jobs_artifact", check.original_id),
        ("detection_apitoken", ApiToken.objects.get().pk),
    ):
        html = desk.get(reverse(f"admin:{name}_change", args=[pk])).content.decode()
        for secret in ("key-of-a-session", token, ApiToken.objects.get().token_hash):
            assert secret not in html, name


def test_queries_of_the_list_do_not_grow(desk: Client, ada: User, django_assert_max_num_queries: object) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(30) as captured:
            desk.get(reverse("admin:detection_check_changelist"))
        return len(captured)

    queries()  # the first one notes that the session is in use
    few = queries()
    for _number in range(4):
        factories.finished(factories.queued(factories.requester(ada)))
    assert queries() == few


def test_jobs_are_cancelled_by_who_may(desk: Client, ada: User) -> None:
    check = factories.queued(factories.requester(ada))
    chosen = {"action": "cancel", "_selected_action": [str(check.job_id)]}
    address = reverse("admin:jobs_job_changelist")
    reviewer = Client()
    reviewer.force_login(factories.reviewer())
    reviewer.post(address, chosen)
    assert reviewer.post(reverse("jobs:cancel", args=[check.job_id])).status_code == 404  # nor past the desk
    assert Job.objects.get(pk=check.job_id).state == JobState.QUEUED
    desk.post(address, chosen)
    assert Job.objects.get(pk=check.job_id).state == JobState.CANCELLED


def test_tokens_are_revoked_from_the_desk(desk: Client) -> None:
    token = ApiToken.objects.get()
    desk.post(reverse("admin:detection_apitoken_changelist"), {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked is not None


def test_nobody_decides_reports_about_their_own_upload(ada: User) -> None:
    """The desk does not hand reviewers their own pictures; the lists of the administration let them past that."""
    rita = factories.reviewer()
    check = factories.finished(factories.queued(factories.requester(rita)))
    report = services.report_check(check, factories.requester(ada), "without_consent")
    client = Client()
    client.force_login(rita)
    chosen = {"action": "dismiss", "_selected_action": [report.pk]}
    told = client.post(reverse("admin:detection_report_changelist"), chosen, follow=True)
    assert b"somebody else decides" in told.content
    client.post(reverse("admin:detection_report_change", args=[report.pk]), {"status": "dismissed"})
    report.refresh_from_db()
    assert report.status == "open"
    client.force_login(factories.administrator())
    client.post(reverse("admin:detection_report_changelist"), chosen)
    report.refresh_from_db()
    assert report.status == "dismissed"


def test_reports_are_decided_in_a_batch(desk: Client) -> None:
    from detection.models import Report

    report = Report.objects.get()
    desk.post(reverse("admin:detection_report_changelist"), {"action": "dismiss", "_selected_action": [report.pk]})
    report.refresh_from_db()
    assert report.status == "dismissed"
    assert report.subject.purge_after is not None
