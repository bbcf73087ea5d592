"""What people tell the desk about a check."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Report(models.Model):
    """Somebody says that a verdict, or the picture itself, needs a person to look at it."""

    class Reason(models.TextChoices):
        WRONG_VERDICT = "wrong_verdict", _("The verdict is wrong")
        HARMFUL = "harmful", _("The picture harms somebody")
        WITHOUT_CONSENT = "without_consent", _("It shows a person without their consent")
        MINOR = "minor", _("It shows a minor")
        OTHER = "other", _("Something else")

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        UPHELD = "upheld", _("Upheld")
        DISMISSED = "dismissed", _("Dismissed")

    subject = models.ForeignKey("detection.Check", on_delete=models.CASCADE, related_name="reports")
    reason = models.CharField(max_length=20, choices=Reason)
    comment = models.TextField(blank=True, default="", max_length=2000)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    session_key = models.CharField(max_length=40, blank=True, default="")
    created = models.DateTimeField(default=timezone.now, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN, db_index=True)
    decided = models.DateTimeField(null=True, blank=True)
    # When the reporter was told: on a page of theirs, and by mail where there is an address.
    seen = models.DateTimeField(null=True, blank=True)
    mailed = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "detection"
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "reporter"],
                condition=Q(status="open", reporter__isnull=False),
                name="report_once_a_member",
            ),
            models.UniqueConstraint(
                fields=["subject", "session_key"],
                condition=Q(status="open", reporter=None) & ~Q(session_key=""),
                name="report_once_a_visitor",
            ),
        ]
        indexes = [
            models.Index(
                fields=["decided"],
                condition=Q(mailed=None, reporter__isnull=False) & ~Q(status="open"),
                name="report_to_be_mailed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.subject}"
