"""The worker of a process: claims jobs, has them run, takes back what dead workers left, keeps the house clean."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from . import heartbeat, kinds, lifecycle, workdirs
from .attempt import Attempt
from .database import in_database
from .housekeeping import Housekeeping
from .inference import InferenceChild
from .models import Job
from .retention import PURGE
from .turns import anybody_waits
from .workplace import worker_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .kinds import JobKind
    from .outcomes import Runner

    Takes = Callable[[JobKind], bool]

logger = logging.getLogger(__name__)

TROUBLE_SECONDS: Final = (1.0, 2.0, 5.0, 10.0)  # waits after a loop of the worker failed, by failures in a row


@dataclass(frozen=True, slots=True)
class Lanes:
    """Which kinds go where: quick work, work of minutes behind which nobody should wait, and housekeeping."""

    short: Takes
    long: Takes
    in_worker: Takes


def lanes_of(long_children: int) -> Lanes:
    """Without a child for long work, the others do it too."""

    def is_long(kind: JobKind) -> bool:
        return kind.long and long_children > 0 and not kind.in_worker

    return Lanes(lambda kind: not kind.in_worker and not is_long(kind), is_long, lambda kind: kind.in_worker)


class Worker:
    """Lives in one event loop. `start()` is idempotent, so a nudge can never start it twice."""

    def __init__(self) -> None:
        self.name = worker_name()
        self.draining = False
        self.warm = asyncio.Event()
        lanes = lanes_of(settings.JOBS_LONG_CHILDREN)
        self.children = [InferenceChild(self.wake, lanes.short) for _ in range(max(1, settings.JOBS_CHILDREN))]
        self.long_children = [InferenceChild(self.wake, lanes.long) for _ in range(settings.JOBS_LONG_CHILDREN)]
        self._housekeeping = Housekeeping()
        self._attempts: set[Attempt] = set()
        self._claiming = 0
        self._wakes: dict[int, asyncio.Event] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._drained: asyncio.Task[None] | None = None
        self._heart: asyncio.Task[None] | None = None

    @property
    def running(self) -> int:
        return len(self._attempts)

    @property
    def device(self) -> str:
        return next((child.device for child in self.children if child.device), "")

    def start(self) -> None:
        if self._loops or self.draining:
            return
        logger.info("worker %s starts", self.name)
        lanes = lanes_of(len(self.long_children))
        runners: list[tuple[Runner, Takes]] = [(child, lanes.short) for child in self.children]
        runners += [(child, lanes.long) for child in self.long_children]
        runners.append((self._housekeeping, lanes.in_worker))
        for runner, takes in runners:
            self._wakes[id(runner)] = asyncio.Event()
            self._loops.append(self._keep(f"jobs-{len(self._loops)}", functools.partial(self._serve, runner, takes)))
        self._loops.append(self._keep("sweep", self._sweep))
        self._loops.append(self._keep("schedule", self._schedule))
        names = tuple(kind.name for kind in kinds.served())
        self._heart = asyncio.create_task(heartbeat.keep_beating(self, names), name="worker-heartbeat")

    def wake(self) -> None:
        """Look at the table soon. Any number of calls is as good as one."""
        self.start()
        for event in self._wakes.values():
            event.set()

    async def drain(self) -> None:
        """Claim nothing more, give what runs a moment to end, put the rest back, end the children. Idempotent."""
        if self._drained is None:
            self._drained = asyncio.create_task(self._drain(), name="drain")
        await asyncio.shield(self._drained)

    async def _drain(self) -> None:
        self.draining = True
        if not self._loops:
            return
        logger.info("worker %s drains; %d running", self.name, len(self._attempts))
        until = asyncio.get_running_loop().time() + settings.JOBS_DRAIN_SECONDS
        while self._busy() and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.05)
        for attempt in tuple(self._attempts):
            attempt.drain()
        while self._busy():
            await asyncio.sleep(0.05)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        runners: list[Runner] = [*self.children, *self.long_children, self._housekeeping]
        await asyncio.gather(*(runner.close() for runner in runners))
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)
            await in_database(heartbeat.stop, self.name)
        logger.info("worker %s has drained", self.name)

    def _busy(self) -> bool:
        return bool(self._attempts or self._claiming)

    def _keep(self, name: str, turn: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run `turn` again and again. What it raises is logged and never ends the loop."""

        async def keep() -> None:
            failures = 0
            while not self.draining:
                try:
                    await turn()
                    failures = 0
                except Exception:
                    error_id = secrets.token_hex(4)
                    logger.exception("error %s: the loop %r of worker %s", error_id, name, self.name)
                    await asyncio.sleep(TROUBLE_SECONDS[min(failures, len(TROUBLE_SECONDS) - 1)])
                    failures += 1

        return asyncio.create_task(keep(), name=f"worker-{name}")

    async def _serve(self, runner: Runner, takes: Takes) -> None:
        """One turn: make the runner ready, claim a job and run it, or wait for a nudge."""
        names = tuple(kind.name for kind in kinds.served() if takes(kind))
        woken = self._wakes[id(runner)]
        woken.clear()  # before the look: a nudge that comes during it must not be lost
        attempt = None
        # A child for long work is started when there is some: most of the time there is none, and it takes memory.
        if runner not in self.long_children or (names and await in_database(anybody_waits, names)):
            device = await runner.ready()
            if runner in self.children:
                self.warm.set()
            if self.draining:
                return
            self._claiming += 1
            try:
                attempt = await self._claim(names, device, runner)
            finally:
                self._claiming -= 1
        else:
            await self._rest(runner)
        if attempt is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), settings.JOBS_POLL_SECONDS)
            return
        try:
            await attempt.run()
        finally:
            self._attempts.discard(attempt)

    async def _rest(self, runner: Runner) -> None:
        """End a child for long work that has had none for a while."""
        idle = runner.idle_seconds() if isinstance(runner, InferenceChild) else 0.0
        if idle > settings.JOBS_LONG_IDLE_SECONDS:
            logger.info("the child for long work has had none for %.0f s and is ended", idle)
            await runner.close()

    async def _claim(self, names: tuple[str, ...], device: str, runner: Runner) -> Attempt | None:
        """A claimed job is from here on either among the attempts or back in the queue, whenever the drain begins."""
        job = await in_database(lifecycle.claim, self.name, names, device)
        if job is None:
            return None
        if self.draining:
            await in_database(lifecycle.requeue, job.pk, job.attempt, give_back=True)
            return None
        attempt = Attempt(job, runner)
        self._attempts.add(attempt)
        return attempt

    async def _sweep(self) -> None:
        await in_database(lifecycle.sweep)
        await asyncio.to_thread(workdirs.remove_abandoned)
        await in_database(workdirs.remove_ended)
        await asyncio.sleep(settings.JOBS_SWEEP_SECONDS)

    async def _schedule(self) -> None:
        await in_database(submit_purge_when_due)
        await in_database(submit_what_is_due)
        await asyncio.sleep(min(60.0, settings.JOBS_PURGE_SECONDS))


def submit_purge_when_due() -> Job | None:
    """Several workers ask; the newest purge job says whether it is time, the unique index that only one is made."""
    last = timezone.now() - timedelta(seconds=settings.JOBS_PURGE_SECONDS)
    if Job.objects.filter(kind=PURGE.name, created__gt=last).exists():
        return None
    return lifecycle.submit_system(PURGE.name)


def submit_what_is_due() -> int:
    """Queue the site's own jobs whose kind says that there is something to do. Returns how many."""
    wanted = [kind for kind in kinds.served() if kind.due is not None and kind.due()]
    return sum(lifecycle.submit_system(kind.name) is not None for kind in wanted)


_worker: Worker | None = None


def worker_of_this_process() -> Worker:
    """The one worker that nudges wake; made on first use, in the running event loop."""
    global _worker
    if _worker is None:
        _worker = Worker()
    return _worker
