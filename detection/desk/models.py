"""The desk's tables. Claims and verdicts are written by `claims` and `judgements` alone, the trail by `trail`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .codes import OPEN, Event, Reason, Role, Stand, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def urgent_first(self) -> Self:
        """The order of the queue; of equal urgency the one that has waited longest."""
        return self.order_by("-urgency", "flagged", "subject")

    def free(self, now: datetime) -> Self:
        return self.filter(Q(claimed_until=None) | Q(claimed_until__lte=now))


class ReviewItem(models.Model):
    """A check on the desk. It goes with its check: whoever deletes the picture takes it off the desk."""

    subject = models.OneToOneField(
        "detection.Check", primary_key=True, on_delete=models.CASCADE, related_name="review", verbose_name=_("check")
    )
    state = models.CharField(_("state"), max_length=10, choices=Stand, default=Stand.WAITING)
    urgency = models.PositiveSmallIntegerField(_("urgency"), default=0)
    flagged = models.DateTimeField(_("flagged"), default=timezone.now)
    # Flagged again after a verdict, an item begins another round: what was judged before counts for the old one.
    round = models.PositiveSmallIntegerField(default=1)

    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)

    # What holds, and is shown to everybody. It stays while a later round goes on.
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict, blank=True, default="")
    decided = models.DateTimeField(_("judged"), null=True, blank=True)
    decided_role = models.CharField(max_length=14, choices=Role, blank=True, default="")
    opinions = models.PositiveSmallIntegerField(default=0)  # how many people said so

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        app_label = "detection"
        verbose_name = _("item of the review desk")
        verbose_name_plural = _("review desk")
        ordering = ["-urgency", "flagged", "subject"]
        permissions = [
            ("judge_reviewitem", "Can judge what lies on the review desk"),
            ("settle_reviewitem", "Can settle what reviewers disagree about"),
            ("export_reviewitem", "Can export labelled crops from the review desk"),
        ]
        indexes = [
            models.Index(fields=["state", "-urgency", "flagged", "subject"], name="review_order"),
            models.Index(fields=["state", "flagged"], name="review_age"),
            models.Index(fields=["verdict", "-decided"], name="review_decided"),
            models.Index(fields=["claimed_by", "claimed_until"], name="review_claims"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=Stand.values), name="review_state_known"),
            models.CheckConstraint(
                condition=Q(verdict="", decided=None) | (~Q(verdict="") & Q(decided__isnull=False)),
                name="review_verdict_has_date",
            ),
            models.CheckConstraint(condition=~Q(state="settled") | ~Q(verdict=""), name="review_settled_has_verdict"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_state_display()})"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_held_by(self, user: User) -> bool:
        return self.claimed_by_id == user.pk and self.claimed_until is not None and self.claimed_until > timezone.now()

    @property
    def is_held(self) -> bool:
        return self.claimed_until is not None and self.claimed_until > timezone.now()


class Flag(models.Model):
    """One reason why a check lies on the desk. `detail` holds what the words for the reason need."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="flags")
    reason = models.CharField(max_length=20, choices=Reason)
    detail = models.JSONField(default=dict, blank=True)
    weight = models.PositiveSmallIntegerField(default=0)
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        app_label = "detection"
        ordering = ["-weight", "reason"]
        constraints = [models.UniqueConstraint(fields=["item", "reason"], name="flag_once_a_reason")]
        indexes = [models.Index(fields=["reason", "item"], name="flag_reason")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.item_id}"


class Judgement(models.Model):
    """What one person says. It may be taken back for some minutes; `before` holds what is then put in place again."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="judgements")
    round = models.PositiveSmallIntegerField()
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="judgements"
    )
    role = models.CharField(max_length=14, choices=Role)
    verdict = models.CharField(max_length=12, choices=Verdict)
    reports = models.CharField(max_length=12, blank=True, default="")  # what becomes of what is told of the picture
    note = models.TextField(blank=True, default="", max_length=4000)
    settles = models.BooleanField(default=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    undo_until = models.DateTimeField()
    undone = models.DateTimeField(null=True, blank=True)
    before = models.JSONField(default=dict, blank=True)

    class Meta:
        app_label = "detection"
        ordering = ["-created", "-pk"]
        indexes = [models.Index(fields=["reviewer", "-created"], name="judgement_of_reviewer")]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "round", "reviewer", "settles"], condition=Q(undone=None), name="judgement_once_a_round"
            )
        ]

    def __str__(self) -> str:
        return f"{self.verdict}: {self.item_id}"


class AppendOnly(models.QuerySet["JudgementEntry"]):
    def update(self, **kwargs: Any) -> int:
        raise TypeError("the audit trail is append-only")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("the audit trail is append-only")


class JudgementEntry(models.Model):
    """One line of the audit trail, never edited: the database refuses it too. It outlives pictures and accounts, so it
    names them by number, and holds nothing that anybody wrote."""

    check_ref = models.UUIDField(null=True, db_index=True)
    event = models.CharField(max_length=16, choices=Event)
    created = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.BigIntegerField(null=True)  # the number of the account; empty: the site itself
    role = models.CharField(max_length=14, choices=Role, blank=True, default="")
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True, default="")
    judgement_ref = models.BigIntegerField(null=True)
    about = models.BigIntegerField(null=True, db_index=True)  # of "undone": the line that it takes back
    media = models.CharField(max_length=8, blank=True, default="")
    machine_level = models.CharField(max_length=20, blank=True, default="")
    machine_probability = models.FloatField(null=True)
    weights_version = models.CharField(max_length=80, blank=True, default="")
    waited_seconds = models.FloatField(null=True)  # of "settled": from the flag to the verdict
    facts = models.JSONField(default=dict, blank=True)

    objects = AppendOnly.as_manager()

    class Meta:
        app_label = "detection"
        verbose_name = _("line of the audit trail")
        verbose_name_plural = _("audit trail")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["event", "created"], name="entry_event_created")]

    def __str__(self) -> str:
        return f"{self.event} {self.created:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("the audit trail is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("the audit trail is append-only")


class Look(models.Model):
    """The perceptual hash of a check in four indexed parts, by which look-alikes are found; see `jobs.outputs`."""

    subject = models.OneToOneField("detection.Check", primary_key=True, on_delete=models.CASCADE, related_name="look")
    band0 = models.PositiveIntegerField(db_index=True)
    band1 = models.PositiveIntegerField(db_index=True)
    band2 = models.PositiveIntegerField(db_index=True)
    band3 = models.PositiveIntegerField(db_index=True)
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        app_label = "detection"

    def __str__(self) -> str:
        return str(self.subject_id)
