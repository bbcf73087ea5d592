"""File names are strangers' text: they are shown as text, and reach no header and no path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse

from detection.models import Check, FaceFinding
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
SCRIPT = '<img src=x onerror="alert(1)">"\'.jpg'
HOSTILE = (
    SCRIPT,
    "a\r\nSet-Cookie: x=1\r\n\r\n<b>.jpg",
    'x".jpg; filename="evil.html',
    "../../../../etc/passwd.jpg",
    "..\\..\\windows\\win.jpg",
    "nul\x00byte.jpg",
    "right\u202eto-left.jpg",
    "ü" * 300 + ".jpg",
    '{{ "xyzzy"|add:"plugh" }}{% debug %}.jpg',
    "javascript:alert(1).jpg",
)


def send(client: Client, name: str) -> Check:
    upload = factories.upload()
    upload._name = name  # Django's client would clean what a hostile one would not
    from jobs.requester import Requester

    owner = Requester(user=None, session_key=factories.visitor_with_session(client).session_key)
    from detection import services

    return services.submit_check(owner, upload)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str, client: Client) -> None:
    check = factories.finished(send(client, name))
    token = client.post(reverse("detection:share", args=[check.pk])) and Check.objects.get().share_token
    pages = [check.get_absolute_url(), "/", "/checks/", reverse("detection:shared", args=[token])]
    for address in pages:
        html = client.get(address).content.decode()
        assert "<img src=x" not in html
        assert 'onerror="alert' not in html
        assert "\u202e" not in html
        assert "xyzzyplugh" not in html
    for picture in (check.display, check.original):
        stored = picture.file.name
        assert stored.startswith("artifacts/")
        assert ".." not in stored
        assert len(stored) < 120
        assert name not in stored
    answer = client.get(check.display.url)
    b"".join(answer.streaming_content)
    assert answer["Content-Disposition"] == 'inline; filename="display.jpg"'
    assert "Set-Cookie" not in answer.headers
    assert "\n" not in check.title
    assert "\x00" not in check.title
    assert len(check.title) <= 200
    assert "/" not in check.title
    assert "\\" not in check.title


def test_a_name_in_an_answer_stays_json(client: Client) -> None:
    answer = client.post(
        "/", {"files": [factories.upload(SCRIPT, b"no picture")]}, headers={"Accept": "application/json"}
    )
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    page = client.post("/", {"files": [factories.upload(SCRIPT, b"no picture")]}, headers={"Accept": "text/html"})
    assert "<img src=x" not in page.content.decode()


def test_what_the_child_says_is_text_too(ada: User, ada_client: Client) -> None:
    """The handler runs where strangers' files are decoded; what it returns is not trusted as markup."""
    check = factories.finished(factories.queued(factories.requester(ada)))
    script = "<script>alert(1)</script>"
    Check.objects.update(reason=script, device=script, not_checked=[script], weights_version=script)
    FaceFinding.objects.update(reason=script, quality={script: script}, detectors={script: 0.5})
    html = ada_client.get(check.get_absolute_url()).content.decode()
    assert "&lt;script&gt;" in html
    assert script not in html


def test_a_reporters_comment_is_text_on_the_desk(ada: User, ada_client: Client) -> None:
    check = factories.finished(factories.queued(factories.requester(ada), SCRIPT))
    ada_client.post(reverse("detection:report", args=[check.pk]), {"reason": "other", "comment": SCRIPT})
    desk = Client()
    desk.force_login(factories.administrator())
    for address in (
        reverse("admin:detection_report_changelist"),
        reverse("admin:detection_report_change", args=[check.reports.get().pk]),
        reverse("admin:detection_check_change", args=[check.pk]),
        reverse("admin:detection_check_changelist"),
    ):
        page = desk.get(address)
        assert page.status_code == 200, address
        assert "<img src=x" not in page.content.decode()
