"""Whoever reported a check is told what came of it: on their pages at once, by mail when the verdict is for good."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.utils import timezone

from detection import services
from detection.desk import claims, judgements, telling
from detection.desk.codes import Verdict
from detection.models import Check, Report
from jobs import lifecycle
from jobs.models import Job
from jobs.worker import submit_what_is_due
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpResponse
    from django.test import Client
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db


def judged(check: Check, user: User, verdict: Verdict = Verdict.AUTHENTIC) -> None:
    claims.claim(check.pk, user)
    judgements.judge(check.pk, user, verdict)


def words(page: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def tell() -> int:
    return telling.tell_handler(None, lambda *progress: None)


def minutes_later(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    now = timezone.now() + timedelta(minutes=minutes)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


def test_a_visitor_reads_it_in_their_list_and_on_the_page(client: Client, rita: User) -> None:
    visitor = factories.visitor_with_session(client)
    check = factories.finished(factories.queued(visitor))
    services.report_check(check, visitor, "wrong_verdict")
    assert "looked at what you reported" not in words(client.get("/checks/"))
    judged(check, rita)
    assert "A person has looked at what you reported: photo.jpg · Judged authentic" in words(client.get("/checks/"))
    page = words(client.get(check.get_absolute_url()))
    assert "A person has looked at what you reported. They agree with your report." in page
    assert "You reported: The verdict is wrong." in page
    assert "looked at what you reported" not in words(client.get("/checks/")), "once read it is no news"
    assert "They agree with your report." in words(client.get(check.get_absolute_url())), "but stays on the page"


def test_others_are_told_nothing(client: Client, rita: User, reported: Check) -> None:
    judged(reported, rita)
    services.share_check(reported)
    assert "you reported" not in words(client.get(f"/s/{reported.share_token}/"))
    factories.visitor_with_session(client)
    assert "you reported" not in words(client.get("/checks/"))


def test_it_is_unread_again_when_it_was_taken_back(client: Client, rita: User) -> None:
    visitor = factories.visitor_with_session(client)
    check = factories.finished(factories.queued(visitor))
    services.report_check(check, visitor, "wrong_verdict")
    judged(check, rita)
    client.get(check.get_absolute_url())
    judgements.undo(judgements.recent(rita)[0].pk, rita)
    assert "looked at what you reported" not in words(client.get(check.get_absolute_url()))
    judgements.judge(check.pk, rita, Verdict.MANIPULATED)
    assert "Judged manipulated" in words(client.get("/checks/"))
    assert "They do not agree with your report." in words(client.get(check.get_absolute_url()))


def test_members_get_a_letter_once_it_is_for_good(
    reported: Check, ada: User, rita: User, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    judged(reported, rita)
    assert not telling.letters_wait()
    assert tell() == 0
    minutes_later(monkeypatch, settings.DETECTION_UNDO_MINUTES + 0.1)
    assert telling.letters_wait()
    assert tell() == 1
    (letter,) = mail.outbox
    assert letter.to == [ada.email]
    assert "They agree with your report." in letter.body
    assert "A reviewer of this site judged it authentic on" in letter.body
    assert reported.title not in letter.body + letter.subject
    assert str(reported.pk) not in letter.body
    assert "rita" not in letter.body
    assert tell() == 0
    assert len(mail.outbox) == 1


def test_nobody_is_written_to_about_what_was_taken_back(
    reported: Check, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(reported, rita)
    judgements.undo(judgements.recent(rita)[0].pk, rita)
    minutes_later(monkeypatch, 60)
    assert tell() == 0
    assert mail.outbox == []


def test_visitors_and_members_without_an_address_get_none(
    ada: User, rita: User, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    visitor = factories.visitor_with_session(client)
    for owner in (visitor, factories.requester(ada)):
        check = factories.finished(factories.queued(owner))
        services.report_check(check, owner, "wrong_verdict")
        judged(check, rita)
    ada.email = ""
    ada.save()
    minutes_later(monkeypatch, 60)
    assert tell() == 1
    assert mail.outbox == []


def test_a_letter_that_cannot_be_sent_stops_no_other(
    reported: Check, ben: User, rita: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services.report_check(reported, factories.requester(ben), "wrong_verdict")
    judged(reported, rita)
    minutes_later(monkeypatch, 60)
    sent: list[str] = []

    def send(self: mail.EmailMessage, fail_silently: bool = False) -> int:
        if self.to == [ben.email]:
            raise OSError("no route to the mail server")
        sent.extend(self.to)
        return 1

    monkeypatch.setattr(mail.EmailMessage, "send", send)
    assert tell() == 2
    assert sent == ["ada@example.org"]
    assert "was not sent" in caplog.text
    assert not telling.letters_wait()


def test_workers_queue_it_when_there_is_something_to_write(
    reported: Check, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert submit_what_is_due() == 0
    judged(reported, rita)
    assert submit_what_is_due() == 0
    minutes_later(monkeypatch, 6)
    assert submit_what_is_due() == 1
    assert submit_what_is_due() == 0, "one is unfinished"
    job = lifecycle.claim("tests", [telling.NAME])
    assert job is not None
    tell()
    lifecycle.succeed(job.pk, job.attempt, 1)
    assert Job.objects.get(pk=job.pk).state == "succeeded"
    assert submit_what_is_due() == 0


def test_a_report_decided_in_the_administration_is_told_too(reported: Check, ada_client: Client) -> None:
    services.decide_report(reported.reports.get(), Report.Status.DISMISSED)
    assert "They do not agree with your report." in words(ada_client.get(reported.get_absolute_url()))
