"""Who else may see what was made: by a link that its owner gives away, or by everybody, when two people say so."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.models import Artifact, Job

from . import ledger
from .models import Generation

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


class NotToBeShown(Exception):
    """There is nothing to show yet or any more, or the staff has said no already."""


def share(generation: Generation, days: int | None = None) -> str:
    """A new link, good for some days; an earlier one stops working. Returns the token; raises NotToBeShown."""
    token = secrets.token_urlsafe(24)
    expires = timezone.now() + timedelta(days=days or settings.GENERATION_SHARE_DAYS)
    rows = Generation.objects.finished().filter(pk=generation.pk)
    if not rows.update(share_token=token, share_expires=expires):
        raise NotToBeShown
    generation.share_token, generation.share_expires = token, expires
    return token


def unshare(generation: Generation) -> None:
    Generation.objects.filter(pk=generation.pk).update(share_token=None, share_expires=None)
    generation.share_token = generation.share_expires = None


def want_public(generation: Generation) -> None:
    """Its owner would like everybody to see it. Nobody does before the staff has agreed. A refusal holds."""
    rows = Generation.objects.finished().filter(pk=generation.pk, public_wanted=False, public_decided=None)
    if rows.update(public_wanted=True, public_asked=timezone.now()):
        generation.refresh_from_db()
    elif not Generation.objects.public().filter(pk=generation.pk).exists() and not is_waiting(generation):
        raise NotToBeShown


def is_waiting(generation: Generation) -> bool:
    return Generation.objects.waiting_for_approval().filter(pk=generation.pk).exists()


def withdraw_public(generation: Generation) -> None:
    """Its owner, or the staff, takes it back: gone from the public pages with this statement, and kept its usual time.
    After an approval the owner may ask again; after a refusal not."""
    with transaction.atomic():
        rows = Generation.objects.filter(pk=generation.pk, public_wanted=True)
        was_public = rows.filter(public_approved=True).exists()
        rows.filter(public_approved=True).update(public_decided=None, public_decided_by=None, **_HIDDEN)
        rows.update(public_wanted=False)
        if was_public:
            _keep(generation, timezone.now() + timedelta(hours=settings.JOBS_KEEP_MEMBER_HOURS))
            ledger.append("hidden", user=generation.owner, job_ref=generation.job_id)
    generation.refresh_from_db()


_HIDDEN = {"public_wanted": False, "public_approved": False, "demo": False}


def approve(generation: Generation, by: User) -> bool:
    """Everybody may see it from now on, for as long as both want it. False where its owner does not (any more), and
    for one's own: it takes two people."""
    with transaction.atomic():
        wanted = Generation.objects.finished().filter(pk=generation.pk, public_wanted=True, public_approved=False)
        wanted = wanted.exclude(owner=by)
        if not wanted.update(public_approved=True, public_decided=timezone.now(), public_decided_by=by):
            return False
        _keep(generation, None)
        ledger.append("shown", user=by, job_ref=generation.job_id)
    generation.refresh_from_db()
    return True


def refuse(generation: Generation, by: User) -> bool:
    """Not for the public gallery, or not any longer. False where nobody asked for it."""
    with transaction.atomic():
        was_public = Generation.objects.public().filter(pk=generation.pk).exists()
        rows = Generation.objects.filter(pk=generation.pk, public_wanted=True)
        if not rows.update(public_decided=timezone.now(), public_decided_by=by, **_HIDDEN):
            return False
        if was_public:
            _keep(generation, timezone.now() + timedelta(hours=settings.JOBS_KEEP_MEMBER_HOURS))
            ledger.append("hidden", user=by, job_ref=generation.job_id)
    generation.refresh_from_db()
    return True


def set_demo(generation: Generation, demo: bool) -> bool:
    """Among the examples of the public gallery, or not. Only what is public can be one."""
    rows = Generation.objects.public() if demo else Generation.objects.all()
    return bool(rows.filter(pk=generation.pk).update(demo=demo))


def _keep(generation: Generation, until: datetime | None) -> None:
    """What is shown to everybody stays while it is shown: the sealed files and their job. What it was made from keeps
    its own time, and the purge takes it then."""
    Job.objects.filter(pk=generation.job_id).update(purge_after=until)
    shown = [pk for pk in (generation.result_id, generation.poster_id) if pk is not None]
    Artifact.objects.filter(pk__in=shown).update(purge_after=until)
