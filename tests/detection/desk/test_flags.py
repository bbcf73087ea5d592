"""What lays a check on the desk, how urgent that is, and how long it is kept for it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from PIL import Image

from detection import services
from detection.desk.codes import Reason, Stand
from detection.desk.flags import urgency_of
from detection.models import Check, Flag, JudgementEntry, Report, ReviewItem
from jobs import outputs
from jobs.models import Job
from jobs.retention import purge_due
from tests.detection import factories

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django import DjangoCaptureOnCommitCallbacks
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
INCONCLUSIVE = replace(
    factories.RESULT,
    level="inconclusive",
    probability=0.5,
    interval=(0.4, 0.6),
    reason_code="between_thresholds",
    faces=(replace(factories.FACE, level="inconclusive", probability=0.5, detectors={"meso4": 0.5}),),
)


def checked(session: str = "visitor", **changes: Any) -> Check:
    owner = factories.requester(session_key=session)
    return factories.finished(factories.queued(owner), replace(factories.RESULT, **changes))


def flags_of(check: Check) -> dict[str, dict[str, Any]]:
    return {flag.reason: flag.detail for flag in Flag.objects.filter(item=check.pk)}


def test_a_clear_verdict_lies_on_no_desk() -> None:
    check = checked()
    assert not ReviewItem.objects.exists()
    assert not JudgementEntry.objects.exists()
    assert check.purge_after < check.created + timedelta(hours=24, minutes=1)


def test_inconclusive() -> None:
    check = factories.finished(factories.queued(factories.requester(session_key="v")), INCONCLUSIVE)
    assert flags_of(check) == {Reason.INCONCLUSIVE: {"code": "between_thresholds"}}
    item = check.review
    assert (item.state, item.urgency, item.verdict) == (Stand.WAITING, 15, "")
    entry = JudgementEntry.objects.get()
    assert (entry.event, entry.check_ref, entry.machine_level) == ("flagged", check.pk, "inconclusive")
    assert entry.facts == {"reasons": ["inconclusive"], "urgency": 15}


@pytest.mark.parametrize(
    ("level", "probability", "near"),
    [
        ("likely_manipulated", 0.62, True),
        ("likely_manipulated", 0.91, False),
        ("likely_authentic", 0.37, True),
        ("likely_authentic", 0.05, False),
    ],
)
def test_near_a_threshold(level: str, probability: float, near: bool) -> None:
    face = replace(factories.FACE, level=level, probability=probability, detectors={"boundary": probability})
    check = checked(level=level, probability=probability, interval=None, faces=(face,))
    assert (Reason.NEAR_THRESHOLD in flags_of(check)) is near


@pytest.mark.parametrize(
    ("level", "code", "detectors", "flagged"),
    [
        ("likely_manipulated", None, {"boundary": 0.95, "meso4": 0.1, "mesoinception4": 0.2}, True),
        ("likely_manipulated", None, {"boundary": 0.95, "meso4": 0.1, "mesoinception4": 0.5}, False),
        ("likely_authentic", None, {"boundary": 0.1, "meso4": 0.8, "mesoinception4": 0.9}, True),
        ("likely_manipulated", None, {"boundary": 0.95}, False),
        ("inconclusive", "detectors_disagree", {"boundary": 0.2, "meso4": 0.8}, True),
    ],
)
def test_detectors_that_disagree(level: str, code: str | None, detectors: dict[str, float], flagged: bool) -> None:
    face = replace(factories.FACE, level=level, reason_code=code, detectors=detectors)
    check = checked(level=level, faces=(face,))
    assert (Reason.DISAGREEMENT in flags_of(check)) is flagged


@pytest.mark.parametrize(
    ("manifest", "flagged"), [(None, True), ({"state": "broken"}, True), ({"state": "valid"}, False)]
)
def test_made_here_without_its_manifest(manifest: dict[str, str] | None, flagged: bool) -> None:
    made = Job.objects.create(kind="swap", owner_key="user:1")
    outputs.record(made, sha256="0" * 64, mark=outputs.mark_of(made.pk))
    check = checked(provenance={"mark": outputs.mark_of(made.pk), "manifest": manifest})
    assert check.provenance["own"]
    assert (Reason.OWN_OUTPUT in flags_of(check)) is flagged
    if flagged:
        assert flags_of(check)[Reason.OWN_OUTPUT] == {"by": "mark", "withdrawn": False}
        outputs.withdraw(made.pk)
        again = checked(provenance={"mark": outputs.mark_of(made.pk), "manifest": manifest})
        assert again.review.urgency > check.review.urgency


def test_one_picture_from_several_owners() -> None:
    look, near = "8f3a5c7e91b2d4f6", "8f3a5c7e91b2d4f7"
    first = checked("one", perceptual_hash=look)
    again = checked("one", perceptual_hash=look)
    second = checked("two", perceptual_hash=near)
    assert not ReviewItem.objects.exists(), "the same person again, and one other, are no crowd"
    other = checked("three", perceptual_hash="0123456789abcdef")
    third = checked("three", perceptual_hash=look)
    assert flags_of(third) == {Reason.REPEATED: {"owners": 3, "checks": 4}}
    fourth = checked("four", perceptual_hash=near)
    assert ReviewItem.objects.get().subject == third, "it lies there once"
    assert flags_of(third)[Reason.REPEATED] == {"owners": 4, "checks": 5}
    assert {first, again, second, fourth, other}.isdisjoint({item.subject for item in ReviewItem.objects.all()})


def test_uploads_long_ago_do_not_count() -> None:
    from detection.models import Look

    for session in ("one", "two"):
        checked(session, perceptual_hash="8f3a5c7e91b2d4f6")
    Look.objects.update(created=timezone.now() - timedelta(days=django_settings.DETECTION_REPEAT_DAYS, seconds=1))
    checked("three", perceptual_hash="8f3a5c7e91b2d4f6")
    assert not ReviewItem.objects.exists()


def test_an_operator_chooses_what_is_flagged(settings: SettingsWrapper) -> None:
    settings.DETECTION_AUTOMATIC_FLAGS = ["near_threshold"]
    check = factories.finished(factories.queued(factories.requester(session_key="v")), INCONCLUSIVE)
    assert not ReviewItem.objects.exists()
    assert check.purge_after < check.created + timedelta(hours=24, minutes=1)


def test_the_gravest_report_comes_first_and_each_adds() -> None:
    check = checked()
    services.report_check(check, factories.requester(session_key="visitor"), "wrong_verdict")
    assert ReviewItem.objects.get().urgency == 40
    services.report_check(check, factories.requester(session_key="visitor"), "minor")
    assert ReviewItem.objects.get().urgency == 100
    services.report_check(check, factories.requester(factories.member()), "other")
    item = ReviewItem.objects.get()
    assert item.urgency == 105
    assert flags_of(check)[Reason.REPORTED] == {"reports": 2, "reasons": ["minor", "other"]}
    assert JudgementEntry.objects.filter(event="flagged").count() == 1


def test_urgency_is_the_gravest_and_a_quarter_of_the_rest() -> None:
    assert urgency_of([]) == 0
    assert urgency_of([15]) == 15
    assert urgency_of([15, 60, 10]) == 66
    assert urgency_of([100] * 50) == 999


def test_flagged_by_the_site_is_kept_for_a_while_reported_until_somebody_has_looked() -> None:
    check = factories.finished(factories.queued(factories.requester(session_key="v")), INCONCLUSIVE)
    longest = check.created + timedelta(days=django_settings.DETECTION_FLAGGED_DAYS)
    assert check.purge_after == longest
    assert set(check.job.artifacts.values_list("purge_after", flat=True)) == {longest}
    report = services.report_check(check, factories.requester(session_key="v"), "other")
    check.refresh_from_db()
    assert check.purge_after is None
    services.decide_report(report, Report.Status.DISMISSED)
    check.refresh_from_db()
    assert check.purge_after == longest, "it is still inconclusive"
    assert check.review.state == Stand.WAITING
    assert check.review.urgency == 15


def test_the_last_report_decided_elsewhere_closes_the_item(reported: Check) -> None:
    services.decide_report(reported.reports.get(), Report.Status.UPHELD)
    item = ReviewItem.objects.get()
    assert (item.state, item.verdict) == (Stand.CLOSED, "")
    reported.refresh_from_db()
    assert reported.purge_after is not None
    assert reported.human is None
    services.decide_report(reported.reports.get(), Report.Status.OPEN)
    item.refresh_from_db()
    assert (item.state, item.round) == (Stand.WAITING, 2)


def test_deleting_takes_it_off_the_desk_and_leaves_a_trail_without_words(
    reported: Check, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_check(reported)
    assert not ReviewItem.objects.exists()
    assert not Flag.objects.exists()
    (entry,) = JudgementEntry.objects.all()
    assert "I took it" not in str(entry.facts)


def test_what_nobody_looked_at_goes_after_its_days(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    check = factories.finished(factories.queued(factories.requester(session_key="v")), INCONCLUSIVE)

    def purge_in(days: float) -> None:
        with django_capture_on_commit_callbacks(execute=True), pytest.MonkeyPatch.context() as patch:
            later = check.created + timedelta(days=days)
            patch.setattr("django.utils.timezone.now", lambda: later)
            purge_due(lambda *args: None)

    purge_in(29)
    assert Check.objects.exists()
    purge_in(31)
    assert not Check.objects.exists()
    assert not ReviewItem.objects.exists()


def test_the_trail_is_edited_by_nobody(reported: Check) -> None:
    from django.db import DatabaseError, transaction

    entry = JudgementEntry.objects.get()
    entry.verdict = "authentic"
    for change in (
        entry.save,
        entry.delete,
        JudgementEntry.objects.all().delete,
        lambda: JudgementEntry.objects.update(verdict="authentic"),
    ):
        with pytest.raises(TypeError, match="append-only"):
            change()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE detection_judgemententry SET verdict = 'authentic'")
    names = [field.column for field in JudgementEntry._meta.concrete_fields]
    instead = ", ".join("'authentic'" if name == "verdict" else name for name in names)
    verb = "REPLACE" if connection.vendor == "sqlite" else "INSERT"  # which asks no trigger before it takes a line out
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"{verb} INTO detection_judgemententry ({', '.join(names)}) "  # noqa: S608 - names of our own
            f"SELECT {instead} FROM detection_judgemententry"
        )
    assert JudgementEntry.objects.get().verdict == ""


def test_signing_in_keeps_what_lies_on_the_desk(client: Any, ada: User, settings: SettingsWrapper) -> None:
    settings.JOBS_KEEP_MEMBER_HOURS = 48
    visitor = factories.visitor_with_session(client)
    check = factories.finished(factories.queued(visitor), INCONCLUSIVE)
    client.post("/accounts/login/", {"login": ada.email, "password": factories.PASSWORD})
    check.refresh_from_db()
    assert check.owner == ada
    assert check.purge_after == check.created + timedelta(days=30)


def test_a_real_picture_looks_like_its_smaller_copy(astronaut_jpeg: bytes) -> None:
    """The hash of the product, on a copy that was made smaller and saved anew."""
    from jobs.outputs import LOOK_ALIKE, distance
    from ml.media import decode
    from ml.provenance.perceptual_hash import perceptual_hash

    with Image.open(io.BytesIO(astronaut_jpeg)) as picture:
        smaller = io.BytesIO()
        picture.resize((300, 300)).save(smaller, "JPEG", quality=60)
    one, two = (perceptual_hash(decode(data).pixels) for data in (astronaut_jpeg, smaller.getvalue()))
    assert distance(one, two) <= LOOK_ALIKE
    for session, look in (("a", one), ("b", two), ("c", one)):
        last = checked(session, perceptual_hash=look)
    assert Reason.REPEATED in flags_of(last)
