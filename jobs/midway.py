"""Between beginning and end of a job: what its owner sees of it, and the wish that it end with what there is."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from . import kinds
from .database import retrying
from .files import removed_on_failure
from .models import Artifact, Job
from .moves import running_row, seq_now
from .states import UNFINISHED
from .wake import announce

if TYPE_CHECKING:
    from uuid import UUID

    from .outcomes import Shown

logger = logging.getLogger(__name__)

SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
LARGEST_PICTURE: Final = 4 * 1024 * 1024
LARGEST_FACTS: Final = 64 * 1024


class NotShown(ValueError):
    """What the inference process wants shown is nothing that is shown here."""


@retrying
def keep(job: Job, shown: Shown) -> bool:
    """Keep a preview and facts of a job that still runs, in the place of those before. False where it is not wanted
    any more. Raises NotShown, and whatever the kind's `vet` raises; nothing is kept then."""
    facts = _facts(shown)
    with removed_on_failure(), transaction.atomic():
        rows = running_row(job.pk, job.attempt).filter(cancel_requested=False)
        if connection.features.has_select_for_update:
            rows = rows.select_for_update()
        row = rows.first()
        if row is None:
            return False
        vet = kinds.get(row.kind).vet
        if vet is not None:
            vet(row, shown)
        now = dict(row.shown)
        if facts is not None:
            now["facts"] = facts
        if shown.picture:
            for before in row.artifacts.filter(role=Artifact.PREVIEW):
                before.delete()
            now["preview"] = _preview(row, shown)
        running_row(job.pk, job.attempt).update(shown=now)
    job.shown = now
    return True


def _facts(shown: Shown) -> dict[str, Any] | None:
    if len(shown.picture) > LARGEST_PICTURE or len(shown.facts) > LARGEST_FACTS:
        raise NotShown("too large")
    if shown.picture and shown.content_type not in SUFFIXES:
        raise NotShown(shown.content_type)
    if not shown.facts:
        return None
    facts = json.loads(shown.facts)
    if not isinstance(facts, dict):
        raise NotShown("facts are an object")
    return facts


def _preview(job: Job, shown: Shown) -> dict[str, Any]:
    artifact = Artifact.store(
        role=Artifact.PREVIEW,
        data=shown.picture,
        content_type=shown.content_type,
        suffix=SUFFIXES[shown.content_type],
        job=job,
        width=shown.width,
        height=shown.height,
    )
    return {"url": artifact.url, "width": shown.width, "height": shown.height}


@retrying
def enough(job_id: UUID) -> bool:
    """The owner would rather have what there is now. False for a kind that has no half-way, and for a job that has
    ended. One that waits is told when it begins."""
    job = Job.objects.filter(pk=job_id).first()
    kind = None if job is None else kinds.find(job.kind)
    if kind is None or not kind.may_finish_early:
        return False
    asked = Job.objects.filter(pk=job_id, state__in=UNFINISHED, enough_requested=False)
    if asked.update(enough_requested=True, seq=Greatest(F("seq") + 1, Value(seq_now()))):
        transaction.on_commit(lambda: announce(job_id), robust=True)
    return Job.objects.filter(pk=job_id, enough_requested=True, state__in=UNFINISHED).exists()
