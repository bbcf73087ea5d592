"""What is made: one row a piece of work, which cannot exist without a person, the terms they accepted, and consent."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs import kinds
from jobs.states import JobState

from . import identities, motions
from .blocks import BlockedFace, BlockedPicture
from .consents import Consent, TermsAcceptance
from .ledger import LedgerEntry
from .pleas import FacePlea, TakedownPlea

if TYPE_CHECKING:
    from jobs.requester import Requester

DELETED: Final = "deleted"  # withdrawn for no other reason than that its owner wanted it gone
# What every way of taking back writes: no file, no words, and out of the galleries and links in the same statement.
NOTHING_LEFT: Final[dict[str, Any]] = {
    "title": "",
    "result": None,
    "poster": None,
    "facts": {},
    "public_wanted": False,
    "public_approved": False,
    "demo": False,
    "share_token": None,
    "share_expires": None,
}

__all__ = [
    "DELETED",
    "NOTHING_LEFT",
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

    def kept(self) -> GenerationQuerySet:
        """Without those of which nothing is left but the row: deleted by their owner, or past their time."""
        return self.exclude(job__state=JobState.PURGED).exclude(withdrawn_for=DELETED)

    def finished(self) -> GenerationQuerySet:
        """Those with a sealed file to show."""
        return self.filter(withdrawn=None, result__isnull=False)

    def shared(self) -> GenerationQuerySet:
        """What its owner lets everybody see who has the link; of an account that was closed, nothing."""
        held = self.finished().filter(share_token__isnull=False, share_expires__gt=timezone.now())
        return held.filter(owner__is_active=True)

    def public(self) -> GenerationQuerySet:
        """What everybody may see: its owner wants it, and somebody of the staff has looked at it and agreed."""
        return self.finished().filter(public_wanted=True, public_approved=True, owner__is_active=True)

    def waiting_for_approval(self) -> GenerationQuerySet:
        return self.finished().filter(public_wanted=True, public_decided=None)


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

    # A small picture for lists, sealed like the result; empty where the result itself is small, or older than posters.
    poster = models.ForeignKey("jobs.Artifact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    facts = models.JSONField(default=dict, blank=True)  # what the handler measured: plain values for the result page

    # Two people open the public gallery: the owner wants it, somebody of the staff agrees. See generation.showing.
    public_wanted = models.BooleanField(default=False)
    public_asked = models.DateTimeField(null=True, blank=True)
    public_approved = models.BooleanField(default=False)
    public_decided = models.DateTimeField(null=True, blank=True)
    public_decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    demo = models.BooleanField(_("shown as an example"), default=False)
    share_token = models.CharField(max_length=64, null=True, blank=True, unique=True)
    share_expires = models.DateTimeField(null=True, blank=True)

    objects = GenerationQuerySet.as_manager()

    result_url = poster_url = again_url = ""  # written by generation.pages, for whoever looks

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        ordering = ["-created"]
        permissions = [
            ("generate", "Can make swaps, animations and portraits"),
            ("approve_generation", "Can decide what the public gallery shows"),
        ]
        indexes = [
            models.Index(fields=["owner", "-created"], name="generation_owner_created"),
            models.Index(fields=["-created"], name="generation_public", condition=Q(public_approved=True)),
            models.Index(
                fields=["public_asked"],
                name="generation_waiting",
                condition=Q(public_wanted=True, public_decided__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="generation_affirmed", condition=Q(affirmed=True)),
            models.CheckConstraint(
                name="generation_public_by_two",
                condition=Q(public_approved=False)
                | Q(public_wanted=True, public_decided__isnull=False, withdrawn__isnull=True),
            ),
            models.CheckConstraint(name="generation_demo_is_public", condition=Q(demo=False) | Q(public_approved=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def kind_label(self) -> str:
        kind = kinds.find(self.kind)
        return self.kind if kind is None else str(kind.label)

    @property
    def heading(self) -> str:
        return self.title or self.kind_label

    @property
    def is_shared(self) -> bool:
        return bool(self.share_token) and self.share_expires is not None and self.share_expires > timezone.now()

    @property
    def is_video(self) -> bool:
        return self.result is not None and self.result.content_type.startswith("video/")


ROLES: Final = {
    "source": _("Source"),
    "target": _("Target"),
    "portrait": _("Portrait"),
    "driver": _("Driver"),
}


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

    @property
    def role_label(self) -> str:
        return str(ROLES.get(self.role, self.role))

    @property
    def identity_name(self) -> str:
        if self.identity.startswith("learned:"):
            return gettext("a person whom you taught before")
        identity = motions.find(self.identity) or identities.find(self.identity)
        return self.identity if identity is None else str(identity.name)
