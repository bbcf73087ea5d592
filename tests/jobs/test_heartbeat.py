"""A worker is seen while it lives, and not longer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from jobs import heartbeat
from jobs import worker as worker_module
from jobs.database import in_database
from jobs.heartbeat import WorkerHeartbeat
from jobs.workplace import worker_name

from .conftest import until

if TYPE_CHECKING:
    from typing import Any

pytestmark = pytest.mark.django_db(transaction=True)


def row(name: str) -> WorkerHeartbeat | None:
    return WorkerHeartbeat.objects.filter(name=name).first()


async def test_it_is_there_from_the_start_and_gone_after_a_drain(worker: worker_module.Worker) -> None:
    await until(lambda: WorkerHeartbeat.objects.filter(name=worker.name, device="test device").exists())
    found = await in_database(row, worker.name)
    assert found is not None
    assert found.is_alive
    assert (found.kinds, found.children) == (["purge", "test"], len(worker.children) + len(worker.long_children))
    assert found.host
    assert found.host in worker.name
    await worker.drain()
    assert await in_database(row, worker.name) is None


class Standing:
    """As much of a worker as its heartbeat looks at."""

    device, children, long_children, running, draining = "CPU", [1], [], 2, False

    def __init__(self, name: str) -> None:
        self.name = name


def test_one_row_a_worker_and_old_ones_are_forgotten() -> None:
    me: Any = Standing(worker_name())
    old = timezone.now() - timedelta(days=2)
    WorkerHeartbeat.objects.create(name="elsewhere~gone", host="elsewhere", started=old, seen=old)
    started = timezone.now()
    for _ in range(2):
        heartbeat.beat(me, started, ("check",))
    (only,) = WorkerHeartbeat.objects.all()
    assert (only.name, only.running, only.started) == (me.name, 2, started)
    assert list(WorkerHeartbeat.objects.alive()) == [only]


def test_silence_and_a_dead_process_are_both_seen() -> None:
    me: Any = Standing(worker_name())
    heartbeat.beat(me, timezone.now(), ())
    silent = WorkerHeartbeat.objects.get()
    silent.seen = timezone.now() - timedelta(seconds=61)
    assert not silent.is_alive
    host, place, _pid, since, random = me.name.split("~")
    killed = WorkerHeartbeat(name="~".join((host, place, "4194303", since, random)), seen=timezone.now())
    assert not killed.is_alive, "its process on this machine has ended"
    elsewhere = WorkerHeartbeat(name="~".join((host, "0" * 12, "4194303", since, random)), seen=timezone.now())
    assert elsewhere.is_alive, "of another machine only its own word is known"
