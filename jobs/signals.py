"""Receivers that keep files and owners in step with the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete
from django.dispatch import receiver

from .files import remove_on_commit
from .models import Artifact, Job

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest


@receiver(post_delete, sender=Artifact)
def remove_file(instance: Artifact, **kwargs: Any) -> None:
    if instance.file.name:
        remove_on_commit(instance.file.storage, instance.file.name)


@receiver(user_logged_in)
def keep_what_the_visitor_began(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Signing in changes the session key. What the browser that holds the old key began before goes along."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME) if request is not None else None
    if not key:
        return
    Job.objects.filter(owner__isnull=True, session_key=key).update(
        owner=user, session_key="", owner_key=f"user:{user.pk}"
    )
    Artifact.objects.filter(owner__isnull=True, session_key=key).update(owner=user, session_key="")
