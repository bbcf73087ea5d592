"""What a check leaves behind: the verdict on a picture and one finding per face. Reports and the desk: see `desk`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .desk.models import Flag, Judgement, JudgementEntry, Look, ReviewItem
from .desk.reports import Report
from .desk.verdicts import human_verdict
from .levels import Level
from .tokens import ApiToken

if TYPE_CHECKING:
    from jobs.requester import Requester

    from .desk.verdicts import HumanVerdict

__all__ = [
    "ApiToken",
    "Check",
    "FaceFinding",
    "Flag",
    "Frame",
    "Judgement",
    "JudgementEntry",
    "Level",
    "Look",
    "Report",
    "ReviewItem",
]

PROBABILITY = [MinValueValidator(0.0), MaxValueValidator(1.0)]


def _percent(probability: float | None) -> int | None:
    return None if probability is None else round(100 * probability)


class CheckQuerySet(models.QuerySet["Check"]):
    def owned_by(self, requester: Requester) -> CheckQuerySet:
        """The checks that are the requester's own, to delete and to share. Nobody owns nothing."""
        if requester.user is not None:
            return self.filter(owner=requester.user)
        if requester.session_key:
            return self.filter(owner=None, session_key=requester.session_key)
        return self.none()

    def visible_to(self, requester: Requester) -> CheckQuerySet:
        """The requester's own; and for reviewers, who look at what people report, all of them."""
        if requester.is_staff and requester.user is not None and requester.user.has_perm("detection.view_check"):
            return self.all()
        return self.owned_by(requester)

    def shared(self) -> CheckQuerySet:
        """What its owner lets everybody see who has the link: a verdict, never a check that still goes on; of an
        account that was closed, nothing."""
        held = self.exclude(share_token=None).exclude(level="").filter(share_expires__gt=timezone.now())
        return held.exclude(owner__is_active=False)

    def for_page(self) -> CheckQuerySet:
        return self.select_related("job", "display", "review")


class Check(models.Model):
    """One picture or video that somebody had checked. The verdict's fields are empty until the job has succeeded."""

    class Media(models.TextChoices):
        PICTURE = "picture", _("Picture")
        VIDEO = "video", _("Video")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField("jobs.Job", on_delete=models.CASCADE, related_name="detection_check")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="checks"
    )
    session_key = models.CharField(max_length=40, blank=True, default="", db_index=True)
    title = models.CharField(_("picture"), max_length=200)
    media = models.CharField(max_length=8, choices=Media, default=Media.PICTURE)
    original = models.ForeignKey("jobs.Artifact", null=True, on_delete=models.SET_NULL, related_name="+")
    display = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    level = models.CharField(_("verdict"), max_length=20, choices=Level, blank=True, default="")
    probability = models.FloatField(_("probability of manipulation"), null=True, blank=True, validators=PROBABILITY)
    interval_low = models.FloatField(null=True, blank=True, validators=PROBABILITY)
    interval_high = models.FloatField(null=True, blank=True, validators=PROBABILITY)
    # Between these the detectors do not decide: the thresholds that this verdict was made with, drawn on its scale.
    band_low = models.FloatField(null=True, blank=True, validators=PROBABILITY)
    band_high = models.FloatField(null=True, blank=True, validators=PROBABILITY)
    reason_code = models.CharField(max_length=40, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    weights_version = models.CharField(max_length=80, blank=True, default="")
    thresholds_version = models.CharField(max_length=80, blank=True, default="")
    device = models.CharField(max_length=160, blank=True, default="")
    seconds = models.FloatField(null=True, blank=True)
    timings = models.JSONField(default=dict, blank=True)
    not_checked = models.JSONField(default=list, blank=True)
    # What the file says about itself and what is known of it; see ml.provenance.
    provenance = models.JSONField(default=dict, blank=True)
    perceptual_hash = models.CharField(max_length=16, blank=True, default="", db_index=True)
    # Of videos only: its length in seconds, who was followed through it, and how the score went.
    duration = models.FloatField(null=True, blank=True)
    people = models.JSONField(default=list, blank=True)
    timeline = models.JSONField(default=list, blank=True)

    created = models.DateTimeField(default=timezone.now, editable=False)
    share_token = models.CharField(max_length=64, null=True, blank=True, unique=True)
    share_expires = models.DateTimeField(null=True, blank=True)
    purge_after = models.DateTimeField(null=True, blank=True, db_index=True)
    # When its owner allowed that cut-outs of the faces train and measure the detectors; empty: not allowed.
    training_consent = models.DateTimeField(null=True, blank=True)

    objects = CheckQuerySet.as_manager()

    display_url = ""  # written by detection.pictures, for whoever looks

    class Meta:
        ordering = ["-created", "id"]
        indexes = [
            models.Index(fields=["owner", "-created"], name="check_owner_created"),
            models.Index(fields=["session_key", "-created"], name="check_session_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(probability=None) | Q(probability__gte=0, probability__lte=1), name="check_probability_0_1"
            ),
            models.CheckConstraint(
                condition=Q(interval_low=None, interval_high=None) | Q(interval_low__lte=models.F("interval_high")),
                name="check_interval_ordered",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("detection:result", args=[self.pk])

    @property
    def percent(self) -> int | None:
        return _percent(self.probability)

    @property
    def interval(self) -> tuple[float, float] | None:
        if self.interval_low is None or self.interval_high is None:
            return None
        return self.interval_low, self.interval_high

    @property
    def interval_low_percent(self) -> int | None:
        return _percent(self.interval_low)

    @property
    def interval_high_percent(self) -> int | None:
        return _percent(self.interval_high)

    @property
    def bands(self) -> dict[str, int] | None:
        """The inconclusive part of the scale, in percent."""
        low, high = _percent(self.band_low), _percent(self.band_high)
        return None if low is None or high is None else {"low": low, "high": high}

    @property
    def is_shared(self) -> bool:
        return bool(self.share_token) and self.share_expires is not None and self.share_expires > timezone.now()

    @property
    def human(self) -> HumanVerdict | None:
        """What people judged, which holds over what the detectors say."""
        return human_verdict(self)

    @property
    def holds(self) -> Level | str:
        """The level that holds: that of a person's verdict where there is one. Empty before any."""
        human = self.human
        return self.level if human is None else human.level

    def is_owned_by(self, requester: Requester) -> bool:
        if requester.user is not None:
            return self.owner_id == requester.user.pk
        return self.owner_id is None and bool(requester.session_key) and self.session_key == requester.session_key


class FaceFinding(models.Model):
    """One face of a checked picture. The box is in pixels of the upright original, clipped to it."""

    # Not named `check`: Model.check() is Django's own.
    subject = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="faces")
    index = models.PositiveSmallIntegerField()
    x0 = models.PositiveIntegerField()
    y0 = models.PositiveIntegerField()
    x1 = models.PositiveIntegerField()
    y1 = models.PositiveIntegerField()
    level = models.CharField(max_length=20, choices=Level)
    probability = models.FloatField(null=True, blank=True, validators=PROBABILITY)
    detectors = models.JSONField(default=dict, blank=True)
    quality = models.JSONField(default=dict, blank=True)
    yaw = models.FloatField(default=0.0)
    reason_code = models.CharField(max_length=40, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    crop = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    gradcam = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    boundary = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    crop_url = ""  # written by detection.pictures, for whoever looks
    gradcam_url = ""
    boundary_url = ""

    class Meta:
        ordering = ["subject", "index"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "index"], name="face_index_once"),
            models.CheckConstraint(
                condition=Q(x0__lt=models.F("x1")) & Q(y0__lt=models.F("y1")), name="face_box_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(probability=None) | Q(probability__gte=0, probability__lte=1), name="face_probability_0_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} #{self.number}"

    @property
    def number(self) -> int:
        """What people count by: the first face is 1."""
        return self.index + 1

    @property
    def percent(self) -> int | None:
        return _percent(self.probability)

    @property
    def detector_rows(self) -> list[dict[str, str | float | int | None]]:
        """The detectors' scores in a fixed order, ready to be drawn."""
        return [
            {"name": name, "probability": value, "percent": _percent(value)}
            for name, value in sorted(self.detectors.items())
        ]

    # The box as shares of the picture, for any size of it.
    @property
    def left_percent(self) -> float:
        return self._share(self.x0, self.subject.width)

    @property
    def top_percent(self) -> float:
        return self._share(self.y0, self.subject.height)

    @property
    def width_percent(self) -> float:
        return self._share(self.x1 - self.x0, self.subject.width)

    @property
    def height_percent(self) -> float:
        return self._share(self.y1 - self.y0, self.subject.height)

    @staticmethod
    def _share(part: int, whole: int | None) -> float:
        return round(100 * part / whole, 3) if whole else 0.0


class Frame(models.Model):
    """One picture of a checked video's strip: what was seen at that second."""

    subject = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="frames")
    index = models.PositiveSmallIntegerField()
    seconds = models.FloatField()
    probability = models.FloatField(null=True, blank=True, validators=PROBABILITY)
    picture = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    picture_url = ""  # written by detection.pictures, for whoever looks

    class Meta:
        ordering = ["subject", "index"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "index"], name="frame_index_once"),
            models.CheckConstraint(
                condition=Q(probability=None) | Q(probability__gte=0, probability__lte=1), name="frame_probability_0_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} at {self.seconds:.2f} s"
