"""Signing up, in and out, the second factor of staff, and what goes along into an account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from deepfake_site import roles
from detection import services
from detection.desk import permissions as desk_permissions
from detection.models import Check, Report
from generation import permissions
from jobs.models import Artifact, Job
from tests.detection import factories

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _no_throttle_left_over() -> None:
    from django.core.cache import cache

    cache.clear()


def sign_up(client: Client, email: str = "new@example.org") -> int:
    data = {"email": email, "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    return client.post("/accounts/signup/", data).status_code


def sign_in(client: Client, email: str, password: str = factories.PASSWORD) -> object:
    return client.post(LOGIN, {"login": email, "password": password})


def test_sign_up_makes_a_member(client: Client) -> None:
    assert sign_up(client) == 302
    user = User.objects.get(email="new@example.org")
    assert user.username
    assert [group.name for group in user.groups.all()] == [roles.MEMBER]
    assert not user.is_staff
    assert client.get("/account/tokens/").status_code == 200


def test_sign_in_and_out(client: Client, ada: User) -> None:
    assert sign_in(client, ada.email, "wrong password").status_code == 200
    assert client.get("/account/tokens/").status_code == 302
    assert sign_in(client, ada.email).status_code == 302
    assert client.get("/account/tokens/").status_code == 200
    assert client.get("/accounts/logout/").status_code == 200, "a link must not sign anybody out"
    assert client.get("/account/tokens/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/account/tokens/").status_code == 302


def test_password_reset_by_mail(client: Client, ada: User) -> None:
    assert client.post("/accounts/password/reset/", {"email": ada.email}).status_code == 302
    (letter,) = mail.outbox
    found = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", letter.body)
    assert found is not None
    form = client.get(found[1], follow=True)
    new = "another long password"
    done = client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert done.status_code == 302
    assert sign_in(Client(), ada.email, new).status_code == 302
    assert sign_in(Client(), ada.email).status_code == 200


def test_reset_does_not_tell_who_has_an_account(client: Client, ada: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": ada.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


def test_guessing_a_password_is_throttled(client: Client, ada: User) -> None:
    statuses = [sign_in(client, ada.email, f"guess {number}").status_code for number in range(12)]
    assert statuses[0] == 200
    right = sign_in(client, ada.email)
    assert right.status_code != 302 or 429 in statuses


def test_superuser_from_the_command_line_signs_in_by_mail(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", factories.PASSWORD)
    call_command("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org", verbosity=0)
    assert sign_in(client, "root@example.org").status_code == 302
    assert client.get("/admin/").status_code == 200


class TestTakingAlong:
    def test_a_visitors_checks_go_into_the_account(self, client: Client, ada: User) -> None:
        visitor = factories.visitor_with_session(client)
        done = factories.finished(factories.queued(visitor, "done.jpg"))
        reported = factories.finished(factories.queued(visitor, "reported.jpg"))
        services.report_check(reported, visitor, "other")
        waiting = factories.queued(visitor, "waiting.jpg")
        others = factories.queued(factories.requester(session_key="somebody-else"))
        answer = sign_in(client, ada.email)
        assert answer.status_code == 302
        assert any("3 pictures" in str(message) for message in get_messages(answer.wsgi_request))
        mine = factories.requester(ada)
        assert set(Check.objects.owned_by(mine)) == {done, reported, waiting}
        for check in (done, reported, waiting):
            page = client.get(check.get_absolute_url())
            assert page.status_code == 200
            assert page.context["can_manage"]
        assert factories.status(client, done.display.url) == 200
        assert not Artifact.objects.filter(session_key=visitor.session_key).exists()
        done.refresh_from_db()
        assert done.purge_after > timezone.now() + timedelta(days=29)
        assert Job.objects.get(pk=done.job_id).purge_after == done.purge_after
        reported.refresh_from_db()
        assert reported.purge_after is None
        assert Report.objects.get().reporter == ada
        others.refresh_from_db()
        assert others.owner is None
        assert factories.finished(waiting).display.owner == ada

    def test_signing_up_takes_them_along_too(self, client: Client) -> None:
        check = factories.queued(factories.visitor_with_session(client))
        assert sign_up(client) == 302
        assert client.get(check.get_absolute_url()).status_code == 200
        assert Check.objects.get().owner.email == "new@example.org"

    def test_the_next_visitor_of_the_browser_does_not_have_them(self, client: Client, ada: User) -> None:
        check = factories.queued(factories.visitor_with_session(client))
        sign_in(client, ada.email)
        client.post("/accounts/logout/")
        assert client.get(check.get_absolute_url()).status_code == 404

    def test_nothing_to_take_is_not_mentioned(self, client: Client, ada: User) -> None:
        factories.visitor_with_session(client)
        assert not any("checked before" in str(m) for m in get_messages(sign_in(client, ada.email).wsgi_request))


class TestRoles:
    def test_the_migration_made_them(self) -> None:
        assert {group.name for group in Group.objects.all()} >= {roles.MEMBER, roles.REVIEWER, roles.ADMINISTRATOR}
        reviewer = Group.objects.get(name=roles.REVIEWER)
        granted = {(p.content_type.app_label, p.codename) for p in reviewer.permissions.all()}
        of_generation = {("generation", codename) for codename in permissions.REVIEWERS_MAY}
        of_the_desk = {("detection", codename) for codename in desk_permissions.REVIEWERS_MAY}
        assert granted == set(roles.REVIEWER_MAY) | of_generation | of_the_desk
        assert Group.objects.get(name=roles.ADMINISTRATOR).permissions.count() == Permission.objects.count()

    def test_a_reviewer_decides_reports_and_edits_nothing_else(self, client: Client, ada: User) -> None:
        check = factories.finished(factories.queued(factories.requester(ada)))
        report = services.report_check(check, factories.requester(ada), "other")
        client.force_login(factories.reviewer())
        assert client.get("/admin/detection/check/").status_code == 200
        page = client.get(f"/admin/detection/check/{check.pk}/change/")
        assert page.status_code == 200
        assert 'name="level"' not in page.content.decode()
        assert client.post(f"/admin/detection/check/{check.pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.get("/admin/auth/user/").status_code == 403
        assert client.post(f"/admin/detection/report/{report.pk}/change/", {"status": "upheld"}).status_code == 302
        report.refresh_from_db()
        assert report.status == "upheld"
        check.refresh_from_db()
        assert check.purge_after is not None

    def test_an_administrator_deletes_with_files_and_job(
        self, client: Client, ada: User, django_capture_on_commit_callbacks: object
    ) -> None:
        first = factories.finished(factories.queued(factories.requester(ada)))
        factories.queued(factories.requester(ada))
        client.force_login(factories.administrator())
        assert client.post(f"/admin/detection/check/{first.pk}/delete/", {"post": "yes"}).status_code == 302
        assert Check.objects.count() == 1
        chosen = {"action": "delete_selected", "_selected_action": [str(Check.objects.get().pk)], "post": "yes"}
        assert client.post("/admin/detection/check/", chosen).status_code == 302
        assert not Check.objects.exists()
        assert not Artifact.objects.exists()

    def test_members_stay_out_of_the_desk(self, ada_client: Client) -> None:
        assert ada_client.get("/admin/", follow=True).status_code == 403


class TestSecondFactor:
    @pytest.fixture(autouse=True)
    def _required(self, settings: SettingsWrapper) -> None:
        settings.STAFF_SECOND_FACTOR_REQUIRED = True

    def test_staff_without_one_are_sent_to_set_it_up(self, client: Client, ada: User) -> None:
        check = factories.finished(factories.queued(factories.requester(ada)))
        client.force_login(factories.reviewer())
        for address in ("/admin/", "/", check.get_absolute_url(), f"/jobs/{check.job_id}.json", check.original.url):
            answer = client.get(address)
            assert (answer.status_code, answer.url) == (302, "/accounts/2fa/totp/activate/"), address
        assert client.get("/accounts/logout/").status_code == 200

    def test_members_and_visitors_need_none(self, client: Client, ada_client: Client) -> None:
        assert client.get("/").status_code == 200
        assert ada_client.get("/").status_code == 200

    def test_the_desk_has_one_door(self, client: Client) -> None:
        answer = client.get("/admin/", follow=True)
        assert answer.redirect_chain[-1][0].startswith(LOGIN)
        staff = factories.administrator()
        posted = client.post("/admin/login/", {"username": staff.username, "password": factories.PASSWORD})
        assert posted.url.startswith(LOGIN)
        assert "_auth_user_id" not in client.session

    def test_password_alone_does_not_sign_staff_in(self, client: Client) -> None:
        staff = factories.administrator()
        secret = generate_totp_secret()
        TOTP.activate(staff, secret)
        answer = sign_in(client, staff.email)
        assert answer.url == "/accounts/2fa/authenticate/"
        assert client.get("/admin/").status_code == 302
        assert client.post(answer.url, {"code": "000000"}).status_code == 200
        assert client.get("/admin/").status_code == 302
        code = hotp_value(secret, next(yield_hotp_counters_from_time()))
        assert client.post(answer.url, {"code": f"{code:06d}"}).status_code == 302
        assert client.get("/admin/").status_code == 200

    def test_setting_one_up_opens_the_desk(self, client: Client) -> None:
        staff = factories.administrator()
        assert sign_in(client, staff.email).status_code == 302
        asked = client.get("/accounts/2fa/totp/activate/")
        assert asked.url.startswith("/accounts/reauthenticate/"), "who sits at an open desk must not set it up"
        form = client.post(asked.url, {"password": factories.PASSWORD}, follow=True)
        assert form.status_code == 200
        secret = form.context["form"].secret
        code = hotp_value(secret, next(yield_hotp_counters_from_time()))
        assert client.post("/accounts/2fa/totp/activate/", {"code": f"{code:06d}"}).status_code == 302
        assert client.get("/admin/").status_code == 200


def test_the_embedded_default_asks_no_second_factor(client: Client) -> None:
    client.force_login(factories.administrator())
    assert client.get("/admin/").status_code == 200
