"""What is made: one row a piece of work, which cannot exist without a person, the terms they accepted, and consent."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .blocks import BlockedFace, BlockedPicture
from .consents import Consent, TermsAcceptance
from .ledger import LedgerEntry
from .pleas import FacePlea, TakedownPlea

if TYPE_CHECKING:
    from jobs.requester import Requester

__all__ = [
    "BlockedFace",
    "BlockedPicture",
    "Consent",
    "FacePlea",
    "Generation",
    "GenerationInput",
    "LedgerEntry",
    "TakedownPlea",
    "TermsAcceptance",
]


class GenerationQuerySet(models.QuerySet["Generation"]):
    def owned_by(self, requester: Requester) -> GenerationQuerySet:
        return self.filter(owner=requester.user) if requester.user is not None else self.none()


class Generation(models.Model):
    """One piece of work. Made only by `generation.admission`, in the transaction that queues its job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField("jobs.Job", on_delete=models.CASCADE, related_name="generation")
    kind = models.CharField(max_length=40)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="generations")
    # None of these three can be empty: the database itself refuses a row without them.
    terms = models.ForeignKey(TermsAcceptance, on_delete=models.RESTRICT, related_name="+")
    consent = models.ForeignKey(Consent, on_delete=models.RESTRICT, related_name="+")
    affirmed = models.BooleanField(_("affirmed: nobody under eighteen, nothing sexual"))
    title = models.CharField(max_length=200, blank=True, default="")
    result = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn = models.DateTimeField(null=True, blank=True)
    withdrawn_for = models.CharField(max_length=40, blank=True, default="")

    objects = GenerationQuerySet.as_manager()

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        ordering = ["-created"]
        permissions = [("generate", "Can make swaps, animations and portraits")]
        indexes = [models.Index(fields=["owner", "-created"], name="generation_owner_created")]
        constraints = [models.CheckConstraint(name="generation_affirmed", condition=Q(affirmed=True))]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class GenerationInput(models.Model):
    """One thing that a piece of work is made from: a file with its consent, or a built-in synthetic identity."""

    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="inputs")
    role = models.CharField(max_length=20)  # source, target, driver
    artifact = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    perceptual_hash = models.CharField(max_length=16, blank=True, default="")  # known once it was decoded
    identity = models.CharField(max_length=60, blank=True, default="")
    consent = models.ForeignKey(Consent, null=True, blank=True, on_delete=models.RESTRICT, related_name="inputs")

    class Meta:
        ordering = ["generation", "role"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "role"], name="generation_input_once"),
            models.CheckConstraint(
                name="generation_input_consented",
                condition=(~Q(sha256="") & Q(consent__isnull=False)) | (Q(sha256="") & ~Q(identity="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.generation_id}"
