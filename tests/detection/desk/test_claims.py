"""Two people never hold one item: one conditional UPDATE decides, whoever asks at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.utils import timezone

from detection import services
from detection.desk import claims
from detection.desk.codes import Event, Stand
from detection.models import Check, JudgementEntry, ReviewItem
from tests.detection import factories

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db


def reported(count: int) -> list[Check]:
    found = []
    for number in range(count):
        owner = factories.requester(session_key=f"visitor-{number}")
        check = factories.finished(factories.queued(owner))
        services.report_check(check, owner, "other")
        found.append(check)
    return found


def holder(pk: UUID) -> User | None:
    item = ReviewItem.objects.get(pk=pk)
    return item.claimed_by if item.is_held else None


def later(monkeypatch: pytest.MonkeyPatch, **delta: float) -> None:
    now = timezone.now() + timedelta(**delta)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


def test_a_claim_is_exclusive_until_it_runs_out(
    rita: User, rolf: User, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    (check,) = reported(1)
    assert claims.claim(check.pk, rita)
    assert claims.claim(check.pk, rita), "holding it for longer"
    assert not claims.claim(check.pk, rolf)
    assert claims.claim_next(rolf) is None
    assert holder(check.pk) == rita
    later(monkeypatch, minutes=settings.DETECTION_CLAIM_MINUTES, seconds=1)
    assert holder(check.pk) is None
    assert claims.claim(check.pk, rolf)
    assert not claims.renew(check.pk, rita), "somebody else has it now"
    assert holder(check.pk) == rolf
    told = list(JudgementEntry.objects.filter(event=Event.CLAIMED).order_by("pk").values_list("actor", flat=True))
    assert told == [rita.pk, rolf.pk]


def test_a_sign_of_life_holds_it_longer(rita: User, rolf: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = reported(1)
    claims.claim(check.pk, rita)
    for _quarter in range(4):
        later(monkeypatch, minutes=8)
        assert claims.renew(check.pk, rita)
    assert not claims.claim(check.pk, rolf)


def test_one_at_a_time(rita: User, rolf: User) -> None:
    first, second = reported(2)
    assert claims.claim(first.pk, rita)
    assert claims.claim(second.pk, rita)
    assert holder(first.pk) is None
    assert claims.held_by(rita).pk == second.pk
    assert claims.release(second.pk, rita)
    assert not claims.release(second.pk, rita)
    assert claims.held_by(rita) is None
    claims.claim(first.pk, rolf)
    assert not claims.release(first.pk, rita), "what is somebody else's is not put back"


def test_the_most_urgent_first_then_what_waited_longest(rita: User, rolf: User) -> None:
    old, new, urgent = reported(3)
    services.report_check(urgent, factories.requester(session_key="visitor-2"), "minor")
    ReviewItem.objects.filter(pk=old.pk).update(flagged=timezone.now() - timedelta(days=1))
    assert claims.claim_next(rita) == urgent.pk
    assert claims.claim_next(rolf) == old.pk
    assert claims.claim_next(rita, passed_over=[urgent.pk]) == new.pk


def test_nobody_takes_up_their_own_upload(rita: User, rolf: User) -> None:
    check = factories.finished(factories.queued(factories.requester(rita)))
    services.report_check(check, factories.requester(rita), "other")
    assert not claims.claim(check.pk, rita)
    assert claims.claim_next(rita) is None
    assert claims.claim_next(rolf) == check.pk


def test_what_is_escalated_or_off_the_desk(rita: User, adam: User) -> None:
    escalated, settled = reported(2)
    ReviewItem.objects.filter(pk=escalated.pk).update(state=Stand.ESCALATED)
    ReviewItem.objects.filter(pk=settled.pk).update(state=Stand.SETTLED, verdict="unsure", decided=timezone.now())
    assert claims.claim_next(rita) is None
    assert not claims.claim(escalated.pk, rita)
    assert claims.claim_next(adam) == escalated.pk
    assert not claims.claim(settled.pk, adam)


def test_claims_are_taken_away_by_an_administrator(rita: User, adam: User) -> None:
    (check,) = reported(1)
    claims.claim(check.pk, rita)
    assert claims.release_all(ReviewItem.objects.all(), adam) == 1
    assert holder(check.pk) is None
    assert JudgementEntry.objects.get(event=Event.RELEASED).facts == {"of": rita.pk}


@pytest.mark.django_db(transaction=True)
def test_many_at_once() -> None:
    """Eight reviewers on twelve items from as many connections: whoever holds one holds it alone."""
    people = [factories.reviewer(f"r{number}@example.org") for number in range(8)]
    items = [check.pk for check in reported(4)]
    barrier = threading.Barrier(len(people))

    def take(person: User) -> list[tuple[UUID, int]]:
        mine = []
        try:
            barrier.wait(30)
            for pk in items:
                if claims.claim(pk, person):
                    mine.append((pk, person.pk))
        finally:
            connections.close_all()
        return mine

    with ThreadPoolExecutor(len(people)) as pool:
        taken = [pair for mine in pool.map(take, people) for pair in mine]
    # One at a time: who takes a second item up puts the first one back, for others to take.
    held = {item.pk: item.claimed_by_id for item in ReviewItem.objects.all() if item.is_held}
    assert set(held.items()) <= set(taken)
    assert len(set(held.values())) == len(held)
    in_hand: dict[UUID, int] = {}
    for entry in JudgementEntry.objects.filter(event__in=("claimed", "released")).order_by("pk"):
        if entry.event == "claimed":
            assert entry.check_ref not in in_hand, "taken up while somebody else held it"
            in_hand[entry.check_ref] = entry.actor
        else:
            assert in_hand.pop(entry.check_ref) == entry.actor
    assert in_hand == held


@pytest.mark.django_db(transaction=True)
def test_many_at_once_for_one_item() -> None:
    people = [factories.reviewer(f"r{number}@example.org") for number in range(8)]
    (check,) = reported(1)
    barrier = threading.Barrier(len(people))

    def take(person: User) -> bool:
        try:
            barrier.wait(30)
            return claims.claim_next(person) == check.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(people)) as pool:
        assert sum(pool.map(take, people)) == 1
