"""The worker of a process: claims jobs, has them run, takes back what dead workers left, keeps the house clean."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from . import kinds, lifecycle, workdirs
from .attempt import Attempt
from .database import in_database
from .housekeeping import Housekeeping
from .inference import InferenceChild
from .models import Job
from .retention import PURGE
from .workplace import worker_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .outcomes import Runner

logger = logging.getLogger(__name__)

TROUBLE_SECONDS: Final = (1.0, 2.0, 5.0, 10.0)  # waits after a loop of the worker failed, by failures in a row


class Worker:
    """Lives in one event loop. `start()` is idempotent, so a nudge can never start it twice."""

    def __init__(self) -> None:
        self.name = worker_name()
        self.draining = False
        self.warm = asyncio.Event()
        self.children = [InferenceChild(on_death=self.wake) for _ in range(max(1, settings.JOBS_CHILDREN))]
        self._housekeeping = Housekeeping()
        self._attempts: set[Attempt] = set()
        self._claiming = 0
        self._wakes: dict[int, asyncio.Event] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._drained: asyncio.Task[None] | None = None

    @property
    def device(self) -> str:
        return next((child.device for child in self.children if child.device), "")

    def start(self) -> None:
        if self._loops or self.draining:
            return
        logger.info("worker %s starts", self.name)
        runners: list[tuple[Runner, bool]] = [(child, False) for child in self.children]
        runners.append((self._housekeeping, True))
        for runner, in_worker in runners:
            self._wakes[id(runner)] = asyncio.Event()
            self._loops.append(
                self._keep(f"jobs-{len(self._loops)}", functools.partial(self._serve, runner, in_worker))
            )
        self._loops.append(self._keep("sweep", self._sweep))
        self._loops.append(self._keep("schedule", self._schedule))

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
        await asyncio.gather(*(child.close() for child in self.children), self._housekeeping.close())
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

    async def _serve(self, runner: Runner, in_worker: bool) -> None:
        """One turn: make the runner ready, claim a job and run it, or wait for a nudge."""
        device = await runner.ready()
        if not in_worker:
            self.warm.set()
        woken = self._wakes[id(runner)]
        woken.clear()  # before the look: a nudge that comes during it must not be lost
        names = tuple(kind.name for kind in kinds.served() if kind.in_worker is in_worker)
        if self.draining:
            return
        self._claiming += 1
        try:
            attempt = await self._claim(names, device, runner)
        finally:
            self._claiming -= 1
        if attempt is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), settings.JOBS_POLL_SECONDS)
            return
        try:
            await attempt.run()
        finally:
            self._attempts.discard(attempt)

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
        await asyncio.sleep(settings.JOBS_SWEEP_SECONDS)

    async def _schedule(self) -> None:
        await in_database(submit_purge_when_due)
        await asyncio.sleep(min(60.0, settings.JOBS_PURGE_SECONDS))


def submit_purge_when_due() -> Job | None:
    """Several workers ask; the newest purge job says whether it is time, the unique index that only one is made."""
    last = timezone.now() - timedelta(seconds=settings.JOBS_PURGE_SECONDS)
    if Job.objects.filter(kind=PURGE.name, created__gt=last).exists():
        return None
    return lifecycle.submit_system(PURGE.name)


_worker: Worker | None = None


def worker_of_this_process() -> Worker:
    """The one worker that nudges wake; made on first use, in the running event loop."""
    global _worker
    if _worker is None:
        _worker = Worker()
    return _worker
