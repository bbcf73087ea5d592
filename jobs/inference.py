"""The worker's end of the inference child: a process that is spawned, warmed, kept, and replaced when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import psutil
from django.conf import settings

from . import kinds, wire
from .outcomes import Crashed, Finished, OnProgress, OnShown, Outcome, Raised, Refused, Shown, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from .kinds import JobKind

logger = logging.getLogger(__name__)

EXIT_SECONDS: Final = 2.0  # between a closed socket and the exit status that says why
RESTART_SECONDS: Final = (0.0, 1.0, 5.0, 15.0, 30.0)  # waits before a start, by failures in a row


def _packages(kind: JobKind) -> set[str]:
    """Whose classes a result may be made of: the handler's app, the one that publishes it, and `jobs`."""
    return {kind.handler.partition(".")[0], kind.publish.__module__.partition(".")[0], "jobs"}


class ChildNotStarted(RuntimeError):
    """The child ended, or said nothing, before it was ready for jobs."""


class InferenceChild:
    def __init__(
        self, on_death: Callable[[], None] = lambda: None, takes: Callable[[JobKind], bool] = lambda kind: True
    ) -> None:
        """`takes`: the kinds that it is for, whose models it warms."""
        self._on_death, self._takes = on_death, takes
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._started: asyncio.Future[wire.Ready] | None = None
        self._run: asyncio.Future[Any] | None = None
        self._on_progress: OnProgress | None = None
        self._on_shown: OnShown | None = None
        self._token = 0
        self._killed_for = ""
        self._failures = 0
        self._jobs = 0
        self._rested = 0.0
        self.device = ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def idle_seconds(self) -> float:
        """Since when a living child has had nothing to do; 0 for one that works, or that there is not."""
        return time.monotonic() - self._rested if self.is_alive and self._run is None else 0.0

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._reading is not None and not self._reading.done()

    async def ready(self) -> str:
        if self.is_alive and self._is_worn():
            await self.close()
        if not self.is_alive:
            await self.close()  # what is left of the one before
            await asyncio.sleep(RESTART_SECONDS[min(self._failures, len(RESTART_SECONDS) - 1)])
            try:
                await self._start()
            except BaseException:
                self._failures += 1
                await self.close()
                raise
            self._failures = 0
        return self.device

    def _is_worn(self) -> bool:
        """Replace a child between jobs, before leaks make it fail inside one."""
        return bool(
            self._jobs >= settings.JOBS_CHILD_MAX_JOBS or self.memory_mb() > 0.8 * settings.JOBS_CHILD_MEMORY_MB
        )

    async def _start(self) -> None:
        # Called in the thread of the event loop, which lives as long as the process: the kernel ties the child's
        # life to the thread that starts it.
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  (our own module, our own arguments)
                [
                    sys.executable,
                    "-m",
                    "jobs.inference_child",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    str(settings.JOBS_CHILD_NICE),
                ],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._killed_for, self._jobs, self._rested = "", 0, time.monotonic()
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._started = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(), name="inference-child")
        functions = dict.fromkeys(kind.warm for kind in kinds.served() if kind.warm and self._takes(kind))
        await self._send(wire.Warm(tuple(functions)))
        try:
            ready = await asyncio.wait_for(asyncio.shield(self._started), settings.JOBS_CHILD_START_SECONDS)
        except TimeoutError:
            raise ChildNotStarted(f"not ready after {settings.JOBS_CHILD_START_SECONDS:.0f} s") from None
        for failure in ready.failures:
            logger.error("a warm function of the inference child failed:\n%s", failure)
        self.device = ready.device
        logger.info("inference child %d ready on %s after %.1f s", self._process.pid, self.device, ready.seconds)

    async def run(self, kind: JobKind, request: Any, on_progress: OnProgress, on_shown: OnShown) -> Outcome:
        self._token += 1
        self._jobs += 1
        self._on_progress, self._on_shown = on_progress, on_shown
        self._run = asyncio.get_running_loop().create_future()
        try:
            if not self.is_alive:
                return Crashed("it had ended before the job began")
            with contextlib.suppress(OSError):  # the reader then finds the socket closed
                await self._send(wire.Run(self._token, kind.handler, wire.dumps(request)))
            return self._outcome(await self._run, kind)
        finally:
            self._run = self._on_progress = self._on_shown = None
            self._rested = time.monotonic()

    def _outcome(self, message: Any, kind: JobKind) -> Outcome:
        match message:
            case wire.Succeeded(result=body):
                try:
                    return Finished(wire.loads(body, _packages(kind)))
                except Exception as error:  # noqa: BLE001  (the bytes come from the child)
                    return Raised(f"{type(error).__name__}: {error}", f"the result of {kind.handler}: {error}")
            case wire.Refused(code=code, message=message):
                return Refused(code, message)
            case wire.Raised(summary=summary, traceback=text, transient=transient):
                return Raised(summary, text, transient)
            case wire.Stopped():
                return Stopped()
            case Crashed():
                return message
            case _:
                return Raised("an unknown message from the inference child", repr(message)[:500])

    async def _send(self, message: Any) -> None:
        assert self._writer is not None  # noqa: S101  (set by _start before anything is sent)
        self._writer.write(wire.frame(message))
        await self._writer.drain()

    async def _read(self) -> None:
        assert self._reader is not None  # noqa: S101
        why = ""
        try:
            while True:
                (length,) = wire.HEADER.unpack(await self._reader.readexactly(wire.HEADER.size))
                if length > wire.LARGEST:
                    why = f"it sent a message of {length} bytes"
                    break
                self._take(wire.loads(await self._reader.readexactly(length), {"jobs.wire"}))
        except (asyncio.IncompleteReadError, OSError):
            pass
        except Exception as error:
            logger.exception("unreadable message from the inference child")
            why = f"it sent what cannot be read ({type(error).__name__})"
        status = await self._end()
        crash = Crashed(self._killed_for or why or status)
        if not self._killed_for and (self._run is not None or self._started is None or not self._started.done()):
            logger.error("inference child %s ended: %s", self.pid, crash.why)
        if self._started is not None and not self._started.done():
            self._started.set_exception(ChildNotStarted(crash.why))
            self._started.exception()  # retrieved here, in case nobody waits any more
        if self._run is not None and not self._run.done():
            self._run.set_result(crash)
        asyncio.get_running_loop().call_soon(self._on_death)

    def _take(self, message: Any) -> None:
        match message:
            case wire.Ready():
                if self._started is not None and not self._started.done():
                    self._started.set_result(message)
            case wire.Progress(token=token, stage=stage, done=done, total=total):
                if token == self._token and self._on_progress is not None:
                    self._on_progress(stage, done, total)
            case wire.Shown(token=token, picture=picture, content_type=content_type, facts=facts):
                if token == self._token and self._on_shown is not None:
                    self._on_shown(Shown(picture, content_type, message.width, message.height, facts))
            case _:
                if self._run is not None and not self._run.done() and getattr(message, "token", None) == self._token:
                    self._run.set_result(message)

    async def _end(self) -> str:
        """Make sure that the process has ended, and say how."""
        process = self._process
        if process is None:
            return "ended"
        until = time.monotonic() + EXIT_SECONDS
        while process.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.01)
        if process.poll() is None:
            process.kill()
            await asyncio.to_thread(process.wait)
        code = process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    def ask_to_stop(self) -> None:
        if self.is_alive and self._writer is not None:
            self._writer.write(wire.frame(wire.Stop(self._token)))

    def ask_to_finish(self) -> None:
        if self.is_alive and self._writer is not None:
            self._writer.write(wire.frame(wire.Enough(self._token)))

    def kill(self, why: str) -> None:
        if self._process is not None and self._process.poll() is None:
            self._killed_for = self._killed_for or why
            self._process.kill()

    def memory_mb(self) -> float:
        if not self.is_alive or self._process is None:
            return 0.0
        try:
            return float(psutil.Process(self._process.pid).memory_info().rss) / (1024 * 1024)
        except psutil.Error:
            return 0.0

    async def close(self) -> None:
        self.kill("closed")
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=10)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        self._process = self._reader = self._writer = self._reading = None
