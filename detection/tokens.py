"""Keys by which a member's own programs use the API. Only a hash is kept: a copy of the database opens nothing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PREFIX = "unmask_"
SHOWN = len(PREFIX) + 6  # so much of a token stays readable, to tell one from another
USE_RECORDED_EVERY = timedelta(minutes=1)  # a busy program must not cost a write a request


def digest(token: str) -> str:
    """A plain hash is enough here: a token is 256 random bits, not a password that could be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiToken(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=SHOWN)
    token_hash = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_used = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, owner: User, name: str) -> tuple[ApiToken, str]:
        """A new token and its secret, which is shown this once and cannot be read again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        return cls.objects.create(owner=owner, name=name, prefix=secret[:SHOWN], token_hash=digest(secret)), secret

    @classmethod
    def owner_of(cls, secret: str) -> User | None:
        """The member whose token this is, if it is one that still holds."""
        token = cls.objects.select_related("owner").filter(token_hash=digest(secret), revoked=None).first()
        if token is None or not token.owner.is_active:
            return None
        now = timezone.now()
        if token.last_used is None or now - token.last_used > USE_RECORDED_EVERY:
            cls.objects.filter(pk=token.pk).update(last_used=now)
        return token.owner

    def revoke(self) -> None:
        type(self).objects.filter(pk=self.pk, revoked=None).update(revoked=timezone.now())
