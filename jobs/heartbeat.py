"""Which workers are alive: each writes its row every fifteen seconds, and takes it away when it ends."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .database import in_database, retrying
from .workplace import is_gone

if TYPE_CHECKING:
    from datetime import datetime

    from .worker import Worker

logger = logging.getLogger(__name__)

WRITTEN_EVERY: Final = 15.0  # seconds
SEEN_LATELY: Final = timedelta(seconds=4 * WRITTEN_EVERY)
FORGOTTEN_AFTER: Final = timedelta(days=1)


class HeartbeatQuerySet(models.QuerySet["WorkerHeartbeat"]):
    def alive(self) -> Self:
        """Seen within the last minute. One that was killed a moment ago may still be among them."""
        return self.filter(seen__gt=timezone.now() - SEEN_LATELY)


class WorkerHeartbeat(models.Model):
    name = models.CharField(max_length=80, unique=True)  # as on the jobs that it runs
    host = models.CharField(max_length=40)
    started = models.DateTimeField()
    seen = models.DateTimeField(db_index=True)
    device = models.CharField(max_length=120, blank=True, default="")  # empty until its inference process is ready
    children = models.PositiveSmallIntegerField(default=0)
    running = models.PositiveSmallIntegerField(default=0)
    kinds = models.JSONField(default=list)
    draining = models.BooleanField(default=False)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ("-seen",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_alive(self) -> bool:
        return bool(self.seen > timezone.now() - SEEN_LATELY) and not is_gone(self.name)


@retrying
def beat(worker: Worker, started: datetime, names: tuple[str, ...]) -> None:
    now = timezone.now()
    WorkerHeartbeat.objects.update_or_create(
        name=worker.name,
        defaults={
            "host": worker.name.partition("~")[0][:40],
            "started": started,
            "seen": now,
            "device": worker.device,
            "children": len(worker.children) + len(worker.long_children),
            "running": worker.running,
            "kinds": list(names),
            "draining": worker.draining,
        },
    )
    WorkerHeartbeat.objects.filter(seen__lt=now - FORGOTTEN_AFTER).delete()


@retrying
def stop(name: str) -> None:
    WorkerHeartbeat.objects.filter(name=name).delete()


async def keep_beating(worker: Worker, names: tuple[str, ...]) -> None:
    """Until cancelled. A database that is away is no trouble of the worker's: the row is only late."""
    started = timezone.now()
    while True:
        try:
            await in_database(beat, worker, started, names)
        except Exception as error:  # noqa: BLE001
            logger.warning("heartbeat not written: %s", error)
        was_ready = worker.device
        for _second in range(int(WRITTEN_EVERY)):
            await asyncio.sleep(1)
            if worker.device and not was_ready:  # at most once: told as soon as the device is known
                break
