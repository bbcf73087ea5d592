"""One attempt at one job: from the claim to the move that ends it, whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils.translation import gettext_noop as _

from . import estimates, kinds, lifecycle, midway, workdirs
from .database import in_database
from .errors import DiskFull, PersonError, is_disk_full
from .moves import seq_now
from .outcomes import Crashed, Finished, Outcome, Raised, Refused, Runner, Shown, Stopped
from .sentences import pack, packed
from .snapshot import snapshot
from .states import Standing
from .wake import announce_progress

if TYPE_CHECKING:
    from pathlib import Path

    from .models import Job
    from .sentences import Packed

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.25
ROW_SECONDS: Final = 1.0
GROUP_SECONDS: Final = 0.25


class Ending(StrEnum):
    """Why the worker itself ended an attempt."""

    CANCEL = "cancelled"
    LOST = "lease lost"
    DRAIN = "drained"
    DEADLINE = "deadline"
    STALLED = "stalled"
    MEMORY = "too much memory"


class Attempt:
    """Runs in the worker's event loop; every touch of the database is a short call in a thread."""

    def __init__(self, job: Job, runner: Runner) -> None:
        self.job = job
        self.kind = kinds.get(job.kind)
        self._runner = runner
        self._ending: Ending | None = None
        self._working = False
        self._began = self._last_progress = time.monotonic()
        self._changed = asyncio.Event()
        self._asked_to_stop: float | None = None
        self._asked_to_finish = False
        self._unseen: Shown | None = None
        self._stall_seconds = float(self.kind.stall_seconds or settings.JOBS_STALL_SECONDS)

    async def run(self) -> None:
        logger.info("job %s (%s) attempt %d begins", self.job.pk, self.kind.name, self.job.attempt)
        aides = [asyncio.create_task(self._guard()), asyncio.create_task(self._tell())]
        try:
            outcome = await self._work()
        finally:
            for aide in aides:
                aide.cancel()
            await asyncio.gather(*aides, return_exceptions=True)
        await self._show()
        await self._settle(outcome)

    def drain(self) -> None:
        """The worker must go: stop, and let the job wait for another."""
        self._end(Ending.DRAIN)

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending
        if self._working:
            self._runner.kill(str(ending))

    async def _work(self) -> Outcome:
        workdir: Path | None = None
        try:
            workdir = workdirs.make(self.job)
            async with asyncio.timeout(self._stall_seconds):  # a storage that does not answer must not hold the slot
                request = await in_database(self.kind.prepare, self.job, workdir)
            if self._ending is not None:
                return Crashed(str(self._ending))
            if self._asked_to_stop is not None:
                return Stopped()  # a run that nobody told of it would be killed, and its models loaded anew
            self._working = True
            self._last_progress = time.monotonic()
            return await self._runner.run(self.kind, request, self._on_progress, self._on_shown)
        except PersonError as error:
            return Refused.of(error)
        except TimeoutError:
            return Raised("preparing took too long", traceback.format_exc(), transient=True)
        except Exception as error:  # noqa: BLE001  (costs this job, not the worker)
            if is_disk_full(error):
                return Refused(DiskFull.code, DiskFull.sentence)
            return Raised(f"{type(error).__name__}: {error}", traceback.format_exc())
        finally:
            self._working = False
            if workdir is not None:
                await asyncio.to_thread(shutil.rmtree, workdir, ignore_errors=True)

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        self._last_progress = time.monotonic()
        self.job.stage, self.job.done, self.job.total = stage[:40], max(0, done), max(0, total)
        self._changed.set()

    def _on_shown(self, shown: Shown) -> None:
        self._last_progress = time.monotonic()
        self._unseen = shown.over(self._unseen)
        self._changed.set()

    # --- Telling -----------------------------------------------------------------------------------------------------
    async def _tell(self) -> None:
        """Progress to the group at most four times a second, to the row at most once; the last of it always."""
        last_row = 0.0
        while True:
            await self._changed.wait()
            self._changed.clear()
            now = time.monotonic()
            await self._show()
            to_row = now - last_row >= ROW_SECONDS
            if to_row:
                last_row = now
            try:
                shown = await in_database(self._progress, to_row)
                await announce_progress(self.job.pk, shown)
            except Exception as error:  # noqa: BLE001  (progress that nobody sees costs nothing else)
                logger.warning("progress of job %s not told: %s", self.job.pk, error)
            await asyncio.sleep(GROUP_SECONDS)

    async def _show(self) -> None:
        shown, self._unseen = self._unseen, None
        try:
            if shown is not None:
                await in_database(midway.keep, self.job, shown)
        except Exception as error:  # noqa: BLE001  (a preview that nobody sees costs nothing else)
            logger.warning("what job %s showed was not kept: %s", self.job.pk, error)

    def _progress(self, to_row: bool) -> dict[str, Any]:
        job = self.job
        fraction = self.kind.fraction(job.stage, job.done, job.total)
        median = estimates.median_seconds(job.kind)
        job.eta_seconds = estimates.eta_seconds(self.kind, fraction, time.monotonic() - self._began, median)
        job.seq = seq_now(job.seq)
        if to_row:
            lifecycle.progress(
                job.pk,
                job.attempt,
                stage=job.stage,
                done=job.done,
                total=job.total,
                eta=job.eta_seconds,
                seq=job.seq,
                device=job.device,
            )
        return snapshot(job)

    # --- Guarding ----------------------------------------------------------------------------------------------------
    async def _guard(self) -> None:
        """Keep the lease while progress is made; end the attempt when it is unwanted, lost, too long or too large."""
        heartbeat = watch = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            ending = self._overstepped(now)
            try:
                if ending is None and now - watch >= settings.JOBS_WATCH_SECONDS:
                    watch = now
                    ending = await self._look()
                if ending is None and now - heartbeat >= settings.JOBS_HEARTBEAT_SECONDS:
                    heartbeat = now
                    if not await in_database(lifecycle.renew, self.job.pk, self.job.attempt):
                        ending = Ending.LOST
            except Exception as error:  # noqa: BLE001  (a database that is away: the lease decides in the end)
                logger.warning("job %s not looked after just now: %s", self.job.pk, error)
            if ending is not None:
                self._end(ending)

    def _overstepped(self, now: float) -> Ending | None:
        if self._asked_to_stop is not None and now - self._asked_to_stop >= settings.JOBS_CANCEL_GRACE_SECONDS:
            return Ending.CANCEL
        if now - self._began >= self.kind.deadline_seconds:
            return Ending.DEADLINE
        if now - self._last_progress >= self._stall_seconds:
            return Ending.STALLED
        if self._runner.memory_mb() > settings.JOBS_CHILD_MEMORY_MB:
            return Ending.MEMORY
        return None

    async def _look(self) -> Ending | None:
        standing = await in_database(lifecycle.standing, self.job.pk, self.job.attempt)
        if standing is Standing.LOST:
            return Ending.LOST
        if standing is Standing.CANCEL and self._asked_to_stop is None:
            self._asked_to_stop = time.monotonic()
            if self._working:
                self._runner.ask_to_stop()
        if standing is Standing.ENOUGH and self._working and not self._asked_to_finish:
            self._asked_to_finish = True
            self._runner.ask_to_finish()
        return None

    # --- Ending ------------------------------------------------------------------------------------------------------
    async def _settle(self, outcome: Outcome) -> None:
        try:
            end = await in_database(self._write_end, outcome)
            logger.info("job %s attempt %d: %s", self.job.pk, self.job.attempt, end)
        except lifecycle.LeaseLost:
            logger.warning("job %s attempt %d had lost its lease; nothing written", self.job.pk, self.job.attempt)
        except Exception:
            # Nothing could be written: the lease runs out, and the sweep gives the job to somebody.
            logger.exception("the end of job %s attempt %d could not be written", self.job.pk, self.job.attempt)

    def _write_end(self, outcome: Outcome) -> str:
        job = self.job
        if self._ending is Ending.LOST:
            raise lifecycle.LeaseLost
        if self._asked_to_stop is not None and not isinstance(outcome, Finished):
            lifecycle.cancelled(job.pk, job.attempt)  # how it stopped does not matter any more
            return "cancelled"
        match outcome:
            case Finished(result=result):
                try:
                    return str(lifecycle.succeed(job.pk, job.attempt, result))
                except lifecycle.LeaseLost:
                    raise
                except PersonError as error:
                    return self._fail(error.code, packed(error.message))
                except Exception as error:  # noqa: BLE001  (of the app's publish: costs this job)
                    if is_disk_full(error):
                        return self._fail(DiskFull.code, DiskFull.sentence, log=traceback.format_exc())
                    return self._bug(f"{type(error).__name__}: {error}", traceback.format_exc())
            case Refused(code=code, message=message):
                return self._fail(code, message)
            case Raised(summary=summary, traceback=text, transient=transient):
                return (
                    self._passing("temporary", _("temporary trouble"), text) if transient else self._bug(summary, text)
                )
            case Stopped():
                lifecycle.cancelled(job.pk, job.attempt)
                return "cancelled"
            case Crashed(why=why):
                return self._crashed(why)

    def _crashed(self, why: str) -> str:
        job = self.job
        match self._ending:
            case Ending.DRAIN:
                lifecycle.requeue(job.pk, job.attempt, give_back=True)
                return "back in the queue (drained)"
            case Ending.DEADLINE:
                return self._fail("took_too_long", _("This took longer than allowed and was stopped."), log=why)
            case Ending.STALLED:
                return self._passing("stalled", _("the program that does the work stopped answering"), why)
            case Ending.MEMORY:
                return self._passing("out_of_memory", _("it needs more memory than there is"), why)
            case _:
                return self._passing("crashed", _("the program that does the work broke down over it"), why)

    def _fail(self, code: str, message: Packed, log: str = "") -> str:
        error_id = self._log(code, log) if log else ""
        lifecycle.fail(self.job.pk, self.job.attempt, code, message, error_id)
        return f"failed ({code})"

    def _passing(self, code: str, what: str, log: str) -> str:
        error_id = self._log(code, log)
        template = _("This could not be done after %(attempts)d attempts: %(what)s.")
        message = pack(template, attempts=self.job.attempt, what=what)
        delay = settings.JOBS_RETRY_DELAY_SECONDS * 2 ** (self.job.attempt - 1)
        lifecycle.retry(self.job, code, message, error_id, delay=delay)
        return f"attempt ended ({code})"

    def _bug(self, summary: str, text: str) -> str:
        error_id = self._log(summary, text)
        message = _("Something went wrong on our side. If you write to us about it, name the error %(id)s.")
        lifecycle.fail(self.job.pk, self.job.attempt, "internal", pack(message, id=error_id), error_id)
        return "failed (internal)"

    def _log(self, summary: str, text: str) -> str:
        error_id = secrets.token_hex(4)
        told = (error_id, self.job.pk, self.kind.name, self.job.attempt, summary, text)
        logger.error("error %s: job %s (%s) attempt %d: %s\n%s", *told)
        return error_id
