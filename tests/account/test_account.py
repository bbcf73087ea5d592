"""The page of one's account, one's sessions, and what the legal pages say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepfake_site.account import overview
from deepfake_site.account.sessions import coarse, device_of
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_what_is_left(ada: User, settings: SettingsWrapper, astronaut_jpeg: bytes) -> None:
    from tests.generation import making as do

    settings.GENERATION_DAILY_QUOTA = 1
    waiting, _running, made = overview.shares(ada)
    assert (made.used, made.limit, made.left, made.free_at) == (0, 1, 1, None)
    factories.queued(factories.requester(ada))
    do.submitted(ada, astronaut_jpeg)
    waiting, _running, made = overview.shares(ada)
    assert (waiting.used, waiting.limit) == (2, settings.JOBS_WAITING_MEMBER)
    assert made.left == 0
    assert made.free_at is not None
    assert timedelta(hours=23) < made.free_at - timezone.now() < timedelta(hours=24, minutes=1)
    facts = overview.facts(ada)
    assert facts["files"] == 2
    assert facts["bytes"] == sum(artifact.size for artifact in ada.artifacts.all())


def test_the_name_is_ones_own_to_change(ada: User, ada_client: Client) -> None:
    page = reverse("member:profile")
    assert ada.email in ada_client.get(page).content.decode()
    assert ada_client.post(page, {"first_name": "Ada", "is_staff": "on", "email": "x@example.org"}).status_code == 302
    ada.refresh_from_db()
    assert (ada.first_name, ada.is_staff, ada.email) == ("Ada", False, "ada@example.org")
    assert ada_client.post(page, {"first_name": "a" * 200}).status_code == 400


class TestSessions:
    @pytest.fixture
    def here(self, ada: User) -> Client:
        client = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.77")
        client.force_login(ada)
        client.get("/")
        return client

    def test_they_are_listed_without_the_whole_address(self, here: Client) -> None:
        html = here.get(reverse("usersessions_list")).content.decode()
        assert "Firefox 140 on Linux" in html
        assert "203.0.113.0/24" in html
        assert "203.0.113.77" not in html
        assert here.session.session_key not in html
        assert UserSession.objects.get().ip == "203.0.113.0"

    def test_others_are_ended(self, ada: User, here: Client) -> None:
        elsewhere = Client()
        elsewhere.force_login(ada)
        elsewhere.get("/")
        assert UserSession.objects.count() == 2
        assert here.post(reverse("usersessions_list")).status_code == 302
        assert UserSession.objects.count() == 1
        assert here.get(reverse("member:profile")).status_code == 200
        assert elsewhere.get(reverse("member:profile")).status_code == 302

    def test_one_of_them_is_ended(self, ada: User, here: Client) -> None:
        lost, kept = Client(headers={"User-Agent": "curl/8.0"}), Client()
        for each in (lost, kept):
            each.force_login(ada)
            each.get("/")
        number = UserSession.objects.get(session_key=lost.session.session_key).pk
        address = reverse("member:end_session", args=[number])
        assert f'action="{address}"' in here.get(reverse("usersessions_list")).content.decode()
        assert here.get(address).status_code == 405
        assert here.post(address).url == reverse("usersessions_list")
        assert lost.get(reverse("member:profile")).status_code == 302
        assert kept.get(reverse("member:profile")).status_code == 200
        assert UserSession.objects.count() == 2
        own = UserSession.objects.get(session_key=here.session.session_key).pk
        assert here.post(reverse("member:end_session", args=[own])).url == reverse("account_login")
        assert here.get(reverse("member:profile")).status_code == 302
        assert kept.get(reverse("member:profile")).status_code == 200

    def test_of_others_nothing_is_listed_or_ended(self, here: Client, ben: User) -> None:
        stranger = Client(headers={"User-Agent": "curl/8.0"})
        stranger.force_login(ben)
        stranger.get("/")
        assert "Firefox" not in stranger.get(reverse("usersessions_list")).content.decode()
        stranger.post(reverse("usersessions_list"))
        one = UserSession.objects.get(session_key=here.session.session_key).pk
        assert stranger.post(reverse("member:end_session", args=[one])).status_code == 404
        assert here.get(reverse("member:profile")).status_code == 200

    def test_noted_now_and_then_and_not_at_every_request(self, here: Client) -> None:
        seen = UserSession.objects.get().last_seen_at
        here.get("/")
        assert UserSession.objects.get().last_seen_at == seen
        UserSession.objects.update(last_seen_at=seen - timedelta(minutes=6))
        here.get("/")
        assert UserSession.objects.get().last_seen_at > seen - timedelta(minutes=1)


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (FIREFOX, ("Firefox 140", "Linux")),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/141.0.0.0 Safari/537.36 Edg/141.0", ("Edge 141", "Windows")),
        (f"Mozilla/5.0 (Linux; Android 16) {WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36", ("Chrome 141", "Android")),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1",
            ("Safari 18", "iOS"),
        ),
        ("curl/8.14.1", ("curl 8", "")),
        ("", ("", "")),
        ("<script>", ("", "")),
    ],
)
def test_devices_in_words(user_agent: str, expected: tuple[str, str]) -> None:
    assert device_of(user_agent) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("203.0.113.0", "203.0.113.0"),
    ],
)
def test_addresses_are_coarse(address: str, network: str) -> None:
    assert coarse(address) == network


@pytest.mark.parametrize("page", ["terms", "privacy", "imprint"])
def test_every_page_leads_to_the_legal_ones(page: str, client: Client) -> None:
    assert f'href="{reverse(page)}"' in client.get("/").content.decode()
    assert client.get(reverse(page)).status_code == 200


def test_they_say_what_the_settings_say(client: Client, settings: SettingsWrapper) -> None:
    settings.JOBS_KEEP_VISITOR_HOURS, settings.JOBS_KEEP_MEMBER_HOURS = 37, 24 * 53
    settings.DETECTION_SHARE_DAYS, settings.GENERATION_DAILY_QUOTA = 11, 43
    privacy = client.get(reverse("privacy")).content.decode()
    for figure in ("37 hours", "53 days", "11 days"):
        assert figure in privacy
    assert "43 creations" in client.get(reverse("terms")).content.decode()


def test_who_runs_it(client: Client, settings: SettingsWrapper) -> None:
    assert "has not said who they are" in client.get(reverse("imprint")).content.decode()
    settings.OPERATOR, settings.CONTACT = "The Example Club", "mail@club.example"
    for page in ("imprint", "privacy", "terms"):
        html = client.get(reverse(page)).content.decode()
        assert "The Example Club" in html
        assert 'href="mailto:mail@club.example"' in html
    settings.CONTACT = "https://club.example/contact"
    assert 'href="https://club.example/contact"' in client.get(reverse("imprint")).content.decode()
