"""What follows from a verdict for those who reported the check and for its shared link, and how that is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime

from .codes import LEVEL_OF, Verdict
from .reports import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detection.models import Check

    from .models import Judgement, ReviewItem

# A verdict answers the question who is right. Whether somebody is harmed is another one.
HARM: Final = (Report.Reason.HARMFUL, Report.Reason.WITHOUT_CONSENT, Report.Reason.MINOR)


def reports_to_decide(check: Check) -> list[Report]:
    """Open reports that are not about the verdict: whoever judges says what becomes of them."""
    open_ones = Report.objects.filter(subject=check, status=Report.Status.OPEN)
    return list(open_ones.exclude(reason=Report.Reason.WRONG_VERDICT))


def follow(item: ReviewItem, judgement: Judgement) -> dict[str, Any]:
    """Decide the open reports, and take a shared link back where harm was found. Returns what undoing needs."""
    check = item.subject
    wrong = LEVEL_OF[Verdict(judgement.verdict)] != check.level
    of_the_verdict = Report.Status.UPHELD if wrong else Report.Status.DISMISSED
    reports = list(Report.objects.filter(subject=check, status=Report.Status.OPEN))
    harmed = False
    for report in reports:
        about_the_verdict = report.reason == Report.Reason.WRONG_VERDICT
        report.status = of_the_verdict if about_the_verdict else judgement.reports or Report.Status.DISMISSED
        report.decided, report.seen, report.mailed = judgement.created, None, None
        report.save(update_fields=["status", "decided", "seen", "mailed"])
        harmed |= report.status == Report.Status.UPHELD and report.reason in HARM
    before: dict[str, Any] = {"reports": [report.pk for report in reports]}
    if harmed and check.share_token:
        before["share_token"] = check.share_token
        before["share_expires"] = check.share_expires.isoformat() if check.share_expires else None
        type(check).objects.filter(pk=check.pk).update(share_token=None, share_expires=None)
        check.share_token = check.share_expires = None
    return before


def take_back(check: Check, before: Mapping[str, Any]) -> None:
    for report in Report.objects.filter(pk__in=before.get("reports", []), subject=check):
        try:
            with transaction.atomic():
                report.status, report.decided, report.seen = Report.Status.OPEN, None, None
                report.save(update_fields=["status", "decided", "seen"])
        except IntegrityError:
            continue  # the same person has reported it anew: that report is open
    token = before.get("share_token")
    if token and not check.share_token:
        expires = parse_datetime(before["share_expires"]) if before.get("share_expires") else None
        type(check).objects.filter(pk=check.pk).update(share_token=token, share_expires=expires)
