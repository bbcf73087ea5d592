"""Whoever reported a check is told what came of it: on their own pages, and by mail where they have an address."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.kinds import JobKind

from .reports import Report
from .verdicts import human_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet

    from detection.models import Check
    from jobs.requester import Requester

logger = logging.getLogger(__name__)
NAME: Final = "tell_reporters"
BATCH: Final = 200


def _theirs(requester: Requester) -> QuerySet[Report]:
    if requester.user is not None:
        return Report.objects.filter(reporter=requester.user)
    if requester.session_key:
        return Report.objects.filter(reporter=None, session_key=requester.session_key)
    return Report.objects.none()


def reports_on(check: Check, requester: Requester) -> list[Report]:
    """This person's reports on this check, the latest first; what was decided counts as seen from now on."""
    reports = list(_theirs(requester).filter(subject=check))
    unseen = [report.pk for report in reports if report.status != Report.Status.OPEN and report.seen is None]
    if unseen:
        Report.objects.filter(pk__in=unseen).update(seen=timezone.now())
    return reports


def is_open(reports: Sequence[Report]) -> bool:
    return any(report.status == Report.Status.OPEN for report in reports)


def answer_in(reports: Sequence[Report]) -> Report | None:
    """The latest of them that somebody has decided."""
    return next((report for report in reports if report.status != Report.Status.OPEN), None)


def unread(requester: Requester) -> list[Report]:
    """What was decided and not yet looked at, for the list of one's checks."""
    found = _theirs(requester).filter(decided__isnull=False, seen=None).exclude(status=Report.Status.OPEN)
    return list(found.select_related("subject", "subject__review")[:10])


def waiting_letters() -> QuerySet[Report]:
    """Decided, and for good: while a verdict can be taken back, nobody is written to."""
    for_good = timezone.now() - timedelta(minutes=settings.DETECTION_UNDO_MINUTES)
    return Report.objects.filter(mailed=None, reporter__isnull=False, decided__lte=for_good).exclude(
        status=Report.Status.OPEN
    )


def letters_wait() -> bool:
    return waiting_letters().exists()


def tell_handler(request: Any, report: Callable[[str, int, int], None]) -> int:
    """Write the letters that are due. One that cannot be sent is logged and not tried again: it says only what the
    reporter's own page says too."""
    due = list(waiting_letters().select_related("subject", "subject__review", "reporter")[:BATCH])
    for done, each in enumerate(due):
        # Marked first: a worker that dies in between sends one letter too few, never two.
        if Report.objects.filter(pk=each.pk, mailed=None).update(mailed=timezone.now()) and _address(each):
            try:
                letter(each).send()
            except Exception:
                logger.exception("error %s: a letter about report %s was not sent", secrets.token_hex(4), each.pk)
        report("letters", done + 1, len(due))
    return len(due)


def _address(report: Report) -> str:
    return report.reporter.email if report.reporter is not None and report.reporter.is_active else ""


def letter(report: Report) -> EmailMessage:
    """Nothing of the picture is in it: neither its name nor an address that opens it for others."""
    human = human_verdict(report.subject)
    lines = [
        _("You reported a check on %(site)s, and a person has looked at it.") % {"site": settings.SITE_NAME},
        outcome(report),
    ]
    if human is not None:
        lines.append(human.sentence)
    lines.append(_("Your list of checks has the whole of it, as long as the check is kept."))
    subject = _("%(site)s: what came of your report") % {"site": settings.SITE_NAME}
    return EmailMessage(subject, "\n\n".join(lines) + "\n", to=[_address(report)])


def outcome(report: Report) -> str:
    if report.status == Report.Status.UPHELD:
        return _("They agree with your report.")
    return _("They do not agree with your report.")


TELL_REPORTERS: Final = JobKind(
    name=NAME,
    label=gettext_lazy("Answers to reports"),
    handler="detection.desk.telling.tell_handler",
    stages=(("letters", gettext_lazy("Writing"), 1.0),),
    deadline_seconds=600,
    in_worker=True,
    due=letters_wait,
)
