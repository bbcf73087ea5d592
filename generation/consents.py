"""Terms accepted and consents stated: who agreed to which words, for whose face, when, and whether it still holds."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import texts

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from jobs.models import Artifact
    from jobs.requester import Requester


class TermsAcceptance(models.Model):
    """One account agreed to one version of the terms, to the letter: an edited text asks again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="accepted_terms")
    version = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64)
    accepted = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("acceptance of terms")
        verbose_name_plural = _("acceptances of terms")
        ordering = ["-accepted"]
        constraints = [models.UniqueConstraint(fields=["user", "version", "sha256"], name="terms_accepted_once")]

    def __str__(self) -> str:
        return f"terms {self.version}"

    @classmethod
    def of(cls, user: User) -> TermsAcceptance | None:
        """That of the terms in force; None when they are new to the account."""
        text = texts.terms()
        return cls.objects.filter(user=user, version=text.version, sha256=text.sha256).first()


def evidence_path(consent: Consent, filename: str) -> str:
    suffix = ".pdf" if filename.lower().endswith(".pdf") else ".bin"
    return f"consent-evidence/{consent.pk.hex}/{secrets.token_hex(16)}{suffix}"


class ConsentQuerySet(models.QuerySet["Consent"]):
    def held_by(self, requester: Requester) -> ConsentQuerySet:
        return self.filter(owner=requester.user) if requester.user is not None else self.none()

    def in_force(self) -> ConsentQuerySet:
        return self.filter(revoked=None)


class Consent(models.Model):
    """A statement about the people shown in one file, or about one built-in identity, made before anything is queued.

    The words are kept as they were agreed to. A row is never edited; it can be revoked once.
    """

    class Relation(models.TextChoices):
        MYSELF = "myself", _("This is me")
        SYNTHETIC = "synthetic", _("This face is synthetic or fictional")
        WRITTEN_CONSENT = "written_consent", _("This person gave me written consent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consents")
    relation = models.CharField(_("who it is"), max_length=20, choices=Relation)
    version = models.CharField(max_length=12)
    text = models.TextField()
    # Of which picture or clip (its bytes), or of which built-in identity.
    sha256 = models.CharField(max_length=64, blank=True, default="", db_index=True)
    identity = models.CharField(max_length=60, blank=True, default="")
    label = models.CharField(max_length=200, blank=True, default="")
    people = models.PositiveSmallIntegerField(_("people shown"), default=1)
    evidence = models.FileField(upload_to=evidence_path, blank=True, max_length=200)
    created = models.DateTimeField(default=timezone.now, editable=False)
    revoked = models.DateTimeField(null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(
                name="consent_for_one_thing",
                condition=(Q(sha256="") & ~Q(identity="")) | (~Q(sha256="") & Q(identity="")),
            ),
            models.CheckConstraint(
                name="consent_relation_known", condition=Q(relation__in=["myself", "synthetic", "written_consent"])
            ),
            models.CheckConstraint(name="consent_has_words", condition=~Q(text="") & ~Q(version="")),
            models.CheckConstraint(name="consent_of_somebody", condition=Q(people__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.relation} {self.id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and set(kwargs.get("update_fields") or ("text",)) != {"revoked"}:
            raise TypeError("a consent is not edited; it can be revoked, and another be stated")
        super().save(*args, **kwargs)

    def covers(self, artifact: Artifact | None, identity: str = "") -> bool:
        """Whether it was given for this very file, byte by byte, or for this built-in identity."""
        if artifact is not None:
            return bool(self.sha256) and self.sha256 == artifact.sha256
        return bool(identity) and self.identity == identity
