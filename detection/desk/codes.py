"""The words of the desk as codes: why a check is looked at, what a person may judge, and what the trail tells."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from detection.levels import Level


class Reason(models.TextChoices):
    """Why a check lies on the desk."""

    REPORTED = "reported", _("Reported")
    OWN_OUTPUT = "own_output", _("Made here, without its manifest")
    REPEATED = "repeated", _("Uploaded again and again")
    DISAGREEMENT = "detectors_disagree", _("The detectors disagree")
    INCONCLUSIVE = "inconclusive", _("Inconclusive")
    NEAR_THRESHOLD = "near_threshold", _("Near a threshold")


class Stand(models.TextChoices):
    """How an item of the desk stands. Only the first two are open."""

    WAITING = "waiting", _("Waiting")
    ESCALATED = "escalated", _("With the administrators")
    SETTLED = "settled", _("Judged")
    CLOSED = "closed", _("Closed without a verdict")


OPEN: Final = (Stand.WAITING, Stand.ESCALATED)


class Verdict(models.TextChoices):
    """What a person says of a picture or video."""

    AUTHENTIC = "authentic", _("Authentic")
    MANIPULATED = "manipulated", _("Manipulated")
    UNSURE = "unsure", _("Unsure")


class Role(models.TextChoices):
    """In which capacity somebody judged: told to everybody, where the name is not."""

    REVIEWER = "reviewer", _("Reviewer")
    ADMINISTRATOR = "administrator", _("Administrator")


class Event(models.TextChoices):
    """What the audit trail tells of."""

    FLAGGED = "flagged", _("Flagged")
    CLAIMED = "claimed", _("Taken up")
    RELEASED = "released", _("Put back")
    JUDGED = "judged", _("Judged")
    SETTLED = "settled", _("Verdict reached")
    ESCALATED = "escalated", _("Sent to the administrators")
    UNDONE = "undone", _("Taken back")
    REPORT_DECIDED = "report_decided", _("Report decided")
    CLOSED = "closed", _("Closed without a verdict")
    EXPORTED = "exported", _("Exported")


# The level of the detectors that says the same. What a person could not tell is inconclusive, whatever a machine said.
LEVEL_OF: Final = {
    Verdict.AUTHENTIC: Level.LIKELY_AUTHENTIC,
    Verdict.MANIPULATED: Level.LIKELY_MANIPULATED,
    Verdict.UNSURE: Level.INCONCLUSIVE,
}
