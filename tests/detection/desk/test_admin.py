"""The desk in Django's administration: filters, actions, and a trail that is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from detection import services
from detection.desk import claims, judgements
from detection.desk.codes import Verdict
from detection.models import Check, Judgement, JudgementEntry, ReviewItem
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
ITEMS = reverse("admin:detection_reviewitem_changelist")
TRAIL = reverse("admin:detection_judgemententry_changelist")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *checks: Check) -> list[str]:
    answer = client.post(ITEMS, {"action": action, "_selected_action": [str(check.pk) for check in checks]})
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_several_are_judged_at_once_and_what_cannot_be_is_left(
    reported: Check, ada: User, rita: User, rolf: User
) -> None:
    held = factories.finished(factories.queued(factories.requester(ada)))
    harmful = factories.finished(factories.queued(factories.requester(ada)))
    services.report_check(held, factories.requester(ada), "wrong_verdict")
    services.report_check(harmful, factories.requester(ada), "harmful")
    claims.claim(held.pk, rolf)
    told = act(signed_in(rita), "judge_authentic", reported, held, harmful)
    assert told == [
        "1 item was judged.",
        "2 items were left: in other hands, your own, off the desk, or with reports to answer.",
    ]
    assert list(Judgement.objects.values_list("item", "reviewer", "verdict")) == [
        (reported.pk, rita.pk, "authentic"),
    ]
    assert ReviewItem.objects.get(pk=held.pk).claimed_by == rolf
    assert harmful.reports.get().status == "open"
    back = judgements.recent(rita)[0]
    judgements.undo(back.pk, rita)
    assert ReviewItem.objects.get(pk=reported.pk).verdict == "", "taken back like any other"


def test_two_pairs_of_eyes_in_the_administration_too(
    reported: Check, rita: User, rolf: User, adam: User, settings: SettingsWrapper
) -> None:
    settings.DETECTION_REVIEWERS = 2
    claims.claim(reported.pk, rita)
    judgements.judge(reported.pk, rita, Verdict.MANIPULATED, "seen at once")
    assert ReviewItem.objects.get().verdict == ""
    address = reverse("admin:detection_reviewitem_change", args=[reported.pk])
    assert "seen at once" not in signed_in(rolf).get(address).content.decode()
    assert "seen at once" in signed_in(adam).get(address).content.decode()
    act(signed_in(rolf), "judge_manipulated", reported)
    assert ReviewItem.objects.get().opinions == 2
    assert "seen at once" in signed_in(rolf).get(address).content.decode()


def test_claims_are_taken_away_by_administrators_only(reported: Check, rita: User, rolf: User, adam: User) -> None:
    claims.claim(reported.pk, rolf)
    act(signed_in(rita), "free", reported)
    assert ReviewItem.objects.get().claimed_by == rolf
    assert act(signed_in(adam), "free", reported) == ["1 item is free again."]
    assert ReviewItem.objects.get().claimed_by is None


def test_filters_and_search(reported: Check, rita: User) -> None:
    client = signed_in(rita)
    for query in (
        {"reason": "reported"},
        {"state__exact": "waiting"},
        {"subject__level__exact": "likely_manipulated"},
        {"q": "photo"},
    ):
        assert reported.title in client.get(ITEMS, query).content.decode(), query
    for query in ({"reason": "own_output"}, {"state__exact": "settled"}, {"q": "nothing like it"}):
        assert f"/{reported.pk}/change/" not in client.get(ITEMS, query).content.decode(), query


def test_the_trail_is_read_and_nothing_else(reported: Check, adam: User, rita: User) -> None:
    claims.claim(reported.pk, rita)
    judgements.judge(reported.pk, rita, Verdict.AUTHENTIC, "a note for reviewers")
    client = signed_in(adam)
    page = client.get(TRAIL, {"event__exact": "settled"})
    html = page.content.decode()
    assert "rita" in html
    assert "a note for reviewers" not in html
    entry = JudgementEntry.objects.get(event="settled")
    address = reverse("admin:detection_judgemententry_change", args=[entry.pk])
    assert client.get(address).status_code == 200
    client.post(address, {"verdict": "manipulated"})
    client.post(TRAIL, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    client.post(reverse("admin:detection_judgemententry_delete", args=[entry.pk]), {"post": "yes"})
    assert JudgementEntry.objects.get(pk=entry.pk).verdict == "authentic"


def test_queries_do_not_grow(rita: User, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = signed_in(rita)

    def queries() -> tuple[int, ...]:
        found = []
        for address in (ITEMS, TRAIL):
            with django_assert_max_num_queries(30) as captured:
                assert client.get(address).status_code == 200
            found.append(len(captured))
        return tuple(found)

    def reported_once_more() -> None:
        check = factories.finished(factories.queued(factories.requester(ada)))
        services.report_check(check, factories.requester(ada), "wrong_verdict")
        claims.claim(check.pk, rita)
        judgements.judge(check.pk, rita, Verdict.AUTHENTIC)

    client.get(ITEMS)
    reported_once_more()
    few = queries()
    for _number in range(4):
        reported_once_more()
    assert queries() == few


def test_deciding_a_report_in_the_administration_is_in_the_trail(reported: Check, rita: User) -> None:
    report = reported.reports.get()
    address = reverse("admin:detection_report_changelist")
    signed_in(rita).post(address, {"action": "dismiss", "_selected_action": [report.pk]})
    entry = JudgementEntry.objects.get(event="report_decided")
    assert (entry.actor, entry.check_ref) == (rita.pk, reported.pk)
    assert entry.facts == {"report": report.pk, "status": "dismissed"}
