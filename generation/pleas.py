"""What anybody may ask for, signed in or not: never to be swapped, and to have something taken down."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def portrait_path(plea: FacePlea, filename: str) -> str:
    return f"face-pleas/{plea.pk.hex}/{secrets.token_hex(16)}.img"


class PleaStatus(models.TextChoices):
    OPEN = "open", _("Open")
    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")


class Plea(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact = models.EmailField(_("e-mail address"), help_text=_("For the answer, and for nothing else."))
    statement = models.TextField(_("what it is about"), max_length=4000)
    created = models.DateTimeField(default=timezone.now, editable=False)
    status = models.CharField(max_length=10, choices=PleaStatus, default=PleaStatus.OPEN, db_index=True)
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.TextField(blank=True, default="")
    address_hash = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        abstract = True


class FacePlea(Plea):
    """ "Never swap my face": a portrait to compare with, which is deleted as soon as its descriptor is on the list."""

    portrait = models.FileField(_("portrait"), upload_to=portrait_path, max_length=200, blank=True)

    class Meta:
        verbose_name = _("request never to be swapped")
        verbose_name_plural = _("requests never to be swapped")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"face {self.id}"


class TakedownPlea(Plea):
    """Something made here shall go. `address` is where it was seen; the file itself may be sent instead."""

    address = models.CharField(_("address or job number"), max_length=400, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")  # of the file that was sent along
    job_ref = models.UUIDField(_("job"), null=True, blank=True)  # what it was found to be

    class Meta:
        verbose_name = _("takedown request")
        verbose_name_plural = _("takedown requests")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"takedown {self.id}"
