"""What an enhancement leaves behind: the wish, one picture a method with its figures, and what it was made of."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.sentences import told

from . import catalogue
from .tasks import Task

if TYPE_CHECKING:
    from jobs.requester import Requester

__all__ = ["EnhancedPicture", "Enhancement", "Parent", "Task"]


class EnhancementQuerySet(models.QuerySet["Enhancement"]):
    def owned_by(self, requester: Requester) -> EnhancementQuerySet:
        return self.filter(owner=requester.user) if requester.user is not None else self.none()

    def for_page(self) -> EnhancementQuerySet:
        return self.select_related("job", "before_picture", "poster", "source")


class Enhancement(models.Model):
    """One picture that a member had enhanced, by one method or by several side by side."""

    class Format(models.TextChoices):
        SAME = "", _("As it was sent")
        PNG = ".png", _("PNG, nothing is lost")
        JPEG = ".jpg", _("JPEG, smaller")
        WEBP = ".webp", _("WebP, smallest")

    class Media(models.TextChoices):
        PICTURE = "picture", _("Picture")
        VIDEO = "video", _("Video")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField("jobs.Job", on_delete=models.CASCADE, related_name="enhancement")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enhancements")
    media = models.CharField(max_length=8, choices=Media, default=Media.PICTURE)
    title = models.CharField(_("picture"), max_length=200)
    task = models.CharField(_("task"), max_length=12, choices=Task)
    methods = models.JSONField(_("methods"), default=list)
    # The names with bars around them, so that a list can be filtered by one in any database: |compact|bicubic|
    methods_index = models.CharField(max_length=600, blank=True, default="", editable=False)
    scale = models.PositiveSmallIntegerField(_("scale"), null=True, blank=True)
    strength = models.FloatField(_("strength"), null=True, blank=True)  # empty: the picture tells
    file_format = models.CharField(max_length=5, choices=Format, blank=True, default=Format.SAME)
    source = models.ForeignKey("jobs.Artifact", null=True, on_delete=models.SET_NULL, related_name="+")
    truth = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    # Empty until the job has succeeded. Of the picture as it was sent:
    before_picture = models.ForeignKey(
        "jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    poster = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    perceptual_hash = models.CharField(max_length=16, blank=True, default="")
    generated = models.BooleanField(_("made of something generated"), default=False)
    weights_version = models.CharField(max_length=80, blank=True, default="")
    device = models.CharField(max_length=160, blank=True, default="")
    seconds = models.FloatField(null=True, blank=True)

    created = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn = models.DateTimeField(null=True, blank=True)

    objects = EnhancementQuerySet.as_manager()

    class Meta:
        verbose_name = _("enhancement")
        verbose_name_plural = _("enhancements")
        ordering = ["-created", "id"]
        indexes = [models.Index(fields=["owner", "-created"], name="enhancement_owner_created")]
        constraints = [
            models.CheckConstraint(
                condition=Q(strength=None) | Q(strength__gte=0, strength__lte=1), name="enhancement_strength_0_1"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("enhancement:result", args=[self.pk])

    @property
    def strength_percent(self) -> int | None:
        return None if self.strength is None else round(100 * self.strength)


class EnhancedPicture(models.Model):
    """What one method made of it."""

    enhancement = models.ForeignKey(Enhancement, on_delete=models.CASCADE, related_name="pictures")
    index = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=255)
    label = models.CharField(max_length=255)
    origin = models.CharField(max_length=400)  # "trained here", "classical", or "imported: FILE, SHA-256"
    strength = models.FloatField()
    source_type = models.CharField(max_length=80)  # IPTC's, as the file and its manifest carry it
    file = models.ForeignKey("jobs.Artifact", null=True, on_delete=models.SET_NULL, related_name="+")
    shown = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    figures = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    seconds = models.FloatField()

    class Meta:
        verbose_name = _("enhanced picture")
        verbose_name_plural = _("enhanced pictures")
        ordering = ["enhancement", "index"]
        constraints = [models.UniqueConstraint(fields=["enhancement", "index"], name="enhanced_index_once")]

    def __str__(self) -> str:
        return f"{self.label} of {self.enhancement_id}"

    @property
    def named(self) -> str:
        """The method in the reader's language."""
        return told(self.label)

    @property
    def number(self) -> int:
        """What people count by: the first picture is 1."""
        return self.index + 1

    @property
    def strength_percent(self) -> int:
        return round(100 * self.strength)

    @property
    def is_steered(self) -> bool:
        """Whether its strength says anything: interpolation has none."""
        method = catalogue.find(self.enhancement.task, self.method)
        return method is None or method.steered

    @property
    def says_generated(self) -> bool:
        return "rainedAlgorithmicMedia" in self.source_type

    @property
    def page_picture(self) -> Any:
        """The file that a page shows: a smaller copy where there is one."""
        return self.shown or self.file


class Parent(models.Model):
    """Something made on this site that an enhancement was made of. The number stays when what it names is gone."""

    enhancement = models.ForeignKey(Enhancement, on_delete=models.CASCADE, related_name="parents")
    job_ref = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=40)
    by = models.CharField(max_length=8)  # how it was recognised: bytes, mark, looks
    made = models.DateTimeField()

    class Meta:
        verbose_name = _("parent")
        verbose_name_plural = _("parents")
        ordering = ["enhancement", "made"]
        constraints = [models.UniqueConstraint(fields=["enhancement", "job_ref"], name="parent_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.job_ref}"
