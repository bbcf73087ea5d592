"""A person's verdict: what it changes, for whom, and how it is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from detection import services
from detection.desk import claims, judgements
from detection.desk.codes import Event, Stand, Verdict
from detection.models import Check, Judgement, JudgementEntry, Report, ReviewItem
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db


def judge(check: Check, user: User, verdict: Verdict, **words: str) -> Judgement:
    assert claims.claim(check.pk, user)
    return judgements.judge(check.pk, user, verdict, **words)


def again(check: Check) -> Check:
    return Check.objects.for_page().get(pk=check.pk)


def events(check: Check) -> list[str]:
    return list(JudgementEntry.objects.filter(check_ref=check.pk).order_by("pk").values_list("event", flat=True))


def test_a_verdict_holds_over_the_machines(reported: Check, rita: User) -> None:
    judgement = judge(reported, rita, Verdict.AUTHENTIC, note="  Known original.  ")
    check = again(reported)
    human = check.human
    assert (human.verdict, human.level, human.role, human.people, human.overrides) == (
        "authentic", "likely_authentic", "reviewer", 1, True,
    )  # fmt: skip
    assert check.holds == "likely_authentic"
    assert (check.level, check.probability) == ("likely_manipulated", 0.91), "the machine's stays what it was"
    assert human.sentence.startswith("A reviewer of this site judged it authentic on ")
    item = check.review
    assert (item.state, item.claimed_by, item.decided) == (Stand.SETTLED, None, judgement.created)
    assert judgement.note == "Known original."
    assert check.reports.get().status == Report.Status.UPHELD
    assert check.reports.get().decided == judgement.created
    assert check.purge_after is not None
    assert events(check) == ["flagged", "claimed", "judged", "settled"]
    settled = JudgementEntry.objects.get(event=Event.SETTLED)
    assert (settled.verdict, settled.machine_level, settled.media) == ("authentic", "likely_manipulated", "picture")
    assert settled.waited_seconds is not None


@pytest.mark.parametrize(
    ("verdict", "status", "level"),
    [
        (Verdict.MANIPULATED, "dismissed", "likely_manipulated"),
        (Verdict.AUTHENTIC, "upheld", "likely_authentic"),
        (Verdict.UNSURE, "upheld", "inconclusive"),
    ],
)
def test_a_report_of_a_wrong_verdict_is_answered_by_it(
    verdict: Verdict, status: str, level: str, reported: Check, rita: User
) -> None:
    judge(reported, rita, verdict)
    assert reported.reports.get().status == status
    assert again(reported).holds == level
    assert again(reported).human.overrides is (status == "upheld")


def test_only_who_holds_it_judges(reported: Check, rita: User, rolf: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(judgements.NotHeld):
        judgements.judge(reported.pk, rita, Verdict.AUTHENTIC)
    claims.claim(reported.pk, rita)
    with pytest.raises(judgements.NotHeld):
        judgements.judge(reported.pk, rolf, Verdict.AUTHENTIC)
    now = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    claims.claim(reported.pk, rolf)
    with pytest.raises(judgements.NotHeld):
        judgements.judge(reported.pk, rita, Verdict.AUTHENTIC)
    assert again(reported).human is None
    assert not Judgement.objects.exists()


def test_late_but_nobody_else_came(reported: Check, rita: User, monkeypatch: pytest.MonkeyPatch) -> None:
    claims.claim(reported.pk, rita)
    now = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    judgements.judge(reported.pk, rita, Verdict.UNSURE)
    assert again(reported).human.verdict == "unsure"


def test_taken_back_everything_stands_as_before(reported: Check, rita: User) -> None:
    judgement = judge(reported, rita, Verdict.AUTHENTIC)
    item = judgements.undo(judgement.pk, rita)
    assert (item.state, item.verdict, item.decided, item.claimed_by) == (Stand.WAITING, "", None, rita)
    check = again(reported)
    assert check.human is None
    assert check.holds == "likely_manipulated"
    assert check.reports.get().status == Report.Status.OPEN
    assert check.reports.get().decided is None
    assert check.purge_after is None
    about = set(JudgementEntry.objects.filter(event=Event.UNDONE).values_list("about", flat=True))
    assert about == set(JudgementEntry.objects.filter(event__in=("judged", "settled")).values_list("pk", flat=True))
    with pytest.raises(judgements.NotUndoable):
        judgements.undo(judgement.pk, rita)
    judgements.judge(reported.pk, rita, Verdict.MANIPULATED)
    assert again(reported).human.verdict == "manipulated"


def test_taken_back_by_its_author_within_the_minutes_only(
    reported: Check, rita: User, rolf: User, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    judgement = judge(reported, rita, Verdict.AUTHENTIC)
    with pytest.raises(judgements.NotUndoable):
        judgements.undo(judgement.pk, rolf)
    assert judgements.recent(rita) == [judgement]
    assert judgements.recent(rolf) == []
    now = timezone.now() + timedelta(minutes=settings.DETECTION_UNDO_MINUTES, seconds=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    assert judgements.recent(rita) == []
    with pytest.raises(judgements.NotUndoable):
        judgements.undo(judgement.pk, rita)
    assert again(reported).human is not None


def test_reported_anew_it_is_looked_at_again_and_the_old_verdict_stays_meanwhile(
    reported: Check, rita: User, rolf: User, ada: User
) -> None:
    first = judge(reported, rita, Verdict.MANIPULATED)
    services.report_check(again(reported), factories.requester(ada), "wrong_verdict", "Look again!")
    item = ReviewItem.objects.get()
    assert (item.state, item.round, item.verdict) == (Stand.WAITING, 2, "manipulated")
    assert again(reported).human.verdict == "manipulated"
    with pytest.raises(judgements.NotUndoable):
        judgements.undo(first.pk, rita)
    assert claims.claim(reported.pk, rita), "another round, another look"
    claims.release(reported.pk, rita)
    second = judge(again(reported), rolf, Verdict.AUTHENTIC)
    assert again(reported).human.verdict == "authentic"
    judgements.undo(second.pk, rolf)
    assert again(reported).human.verdict == "manipulated", "that of the round before"


class TestReportsOfHarm:
    @pytest.fixture
    def harmful(self, ada: User) -> Check:
        owner = factories.requester(ada)
        check = factories.finished(factories.queued(owner))
        services.share_check(check)
        services.report_check(check, owner, "without_consent")
        return check

    def test_are_decided_with_the_verdict_or_not_at_all(self, harmful: Check, rita: User) -> None:
        claims.claim(harmful.pk, rita)
        with pytest.raises(judgements.ReportsUndecided):
            judgements.judge(harmful.pk, rita, Verdict.MANIPULATED)
        assert claims.held_by(rita).pk == harmful.pk, "nothing was written, and it is still in one's hands"
        judgements.judge(harmful.pk, rita, Verdict.MANIPULATED, reports="dismissed")
        assert harmful.reports.get().status == "dismissed"
        assert again(harmful).is_shared

    def test_upheld_the_shared_link_is_taken_back_and_comes_again_with_the_undo(
        self, harmful: Check, rita: User
    ) -> None:
        token = harmful.share_token
        judgement = judge(harmful, rita, Verdict.MANIPULATED, reports="upheld")
        assert harmful.reports.get().status == "upheld"
        assert not again(harmful).is_shared
        judgements.undo(judgement.pk, rita)
        assert again(harmful).share_token == token
        assert again(harmful).is_shared

    def test_a_report_made_anew_meanwhile_does_not_stop_the_undo(self, harmful: Check, rita: User, ada: User) -> None:
        judgement = judge(harmful, rita, Verdict.UNSURE, reports="dismissed")
        Report.objects.create(subject=harmful, reason="other", reporter=ada)
        judgements.undo(judgement.pk, rita)
        assert sorted(harmful.reports.values_list("reason", "status")) == [
            ("other", "open"),
            ("without_consent", "dismissed"),
        ]


class TestTwoReviewers:
    @pytest.fixture(autouse=True)
    def _two(self, settings: SettingsWrapper) -> None:
        settings.DETECTION_REVIEWERS = 2

    def test_who_agree(self, reported: Check, rita: User, rolf: User) -> None:
        first = judge(reported, rita, Verdict.AUTHENTIC)
        assert again(reported).human is None
        assert again(reported).review.state == Stand.WAITING
        assert not claims.claim(reported.pk, rita), "the other pair of eyes is somebody else's"
        judge(reported, rolf, Verdict.AUTHENTIC)
        human = again(reported).human
        assert (human.verdict, human.people) == ("authentic", 2)
        assert human.sentence.startswith("2 reviewers of this site judged it authentic on ")
        with pytest.raises(judgements.NotUndoable):
            judgements.undo(first.pk, rita)

    def test_the_first_opinion_taken_back(self, reported: Check, rita: User, rolf: User) -> None:
        judgements.undo(judge(reported, rita, Verdict.AUTHENTIC).pk, rita)
        claims.release(reported.pk, rita)
        judge(reported, rolf, Verdict.MANIPULATED)
        assert again(reported).human is None
        judge(reported, rita, Verdict.MANIPULATED)
        assert again(reported).human.people == 2

    def test_who_disagree_go_to_an_administrator(self, reported: Check, rita: User, rolf: User, adam: User) -> None:
        judge(reported, rita, Verdict.AUTHENTIC)
        second = judge(reported, rolf, Verdict.MANIPULATED)
        assert again(reported).review.state == Stand.ESCALATED
        assert events(reported)[-1] == "escalated"
        assert again(reported).human is None
        assert not claims.claim(reported.pk, rita)
        judgements.undo(second.pk, rolf)
        assert again(reported).review.state == Stand.WAITING
        judgements.judge(reported.pk, rolf, Verdict.UNSURE)
        assert again(reported).review.state == Stand.ESCALATED
        third = judge(reported, adam, Verdict.AUTHENTIC)
        human = again(reported).human
        assert (human.verdict, human.role, human.people) == ("authentic", "administrator", 1)
        assert human.sentence.startswith("An administrator of this site judged it authentic on ")
        judgements.undo(third.pk, adam)
        assert again(reported).review.state == Stand.ESCALATED

    def test_an_administrator_who_was_one_of_the_two_may_settle_it(
        self, reported: Check, rita: User, adam: User
    ) -> None:
        judge(reported, adam, Verdict.AUTHENTIC)
        judge(reported, rita, Verdict.MANIPULATED)
        judge(reported, adam, Verdict.UNSURE)
        assert again(reported).human.verdict == "unsure"

    def test_agreeing_on_the_picture_and_not_on_the_harm(self, ada: User, rita: User, rolf: User) -> None:
        check = factories.finished(factories.queued(factories.requester(ada)))
        services.report_check(check, factories.requester(ada), "harmful")
        judge(check, rita, Verdict.MANIPULATED, reports="upheld")
        judge(check, rolf, Verdict.MANIPULATED, reports="dismissed")
        assert again(check).review.state == Stand.ESCALATED
        assert check.reports.get().status == "open"


def test_in_one_go(reported: Check, rita: User, adam: User) -> None:
    claims.claim(reported.pk, rita)
    with pytest.raises(judgements.NotHeld):
        judgements.judge_at_once(reported.pk, adam, Verdict.AUTHENTIC)
    claims.release(reported.pk, rita)
    judgements.judge_at_once(reported.pk, adam, Verdict.AUTHENTIC)
    assert again(reported).human.role == "administrator"
