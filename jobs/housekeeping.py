"""Runs handlers of `in_worker` kinds in a thread of the worker: they need the database and no model."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from typing import TYPE_CHECKING, Any

from django.db import close_old_connections, connections
from django.utils.module_loading import import_string

from .errors import Cancelled, PersonError, TransientError
from .outcomes import Crashed, Finished, OnProgress, OnShown, Outcome, Raised, Refused, Stopped

if TYPE_CHECKING:
    from .kinds import JobKind

logger = logging.getLogger(__name__)


class Housekeeping:
    """One thread a job. A thread cannot be killed: a killed job is given up here at once, and the thread ends at its
    next `report`; what it writes until then is harmless, because housekeeping can be done twice."""

    def __init__(self) -> None:
        self._run: asyncio.Future[Outcome] | None = None
        self._unwanted = threading.Event()

    async def ready(self) -> str:
        return ""

    async def run(self, kind: JobKind, request: Any, on_progress: OnProgress, on_shown: OnShown) -> Outcome:
        loop = asyncio.get_running_loop()
        run: asyncio.Future[Outcome] = loop.create_future()
        unwanted = threading.Event()
        self._run, self._unwanted = run, unwanted

        def tell(function: Any, *arguments: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function, *arguments)

        def report(stage: str, done: int, total: int) -> None:
            if unwanted.is_set():
                raise Cancelled
            tell(on_progress, stage, done, total)

        def work() -> None:
            close_old_connections()
            try:
                outcome = _call(kind.handler, request, report)
            finally:
                connections.close_all()
            tell(_settle, run, outcome)

        threading.Thread(target=work, name=f"housekeeping-{kind.name}", daemon=True).start()
        try:
            return await run
        finally:
            self._run = None

    def ask_to_stop(self) -> None:
        self._unwanted.set()

    def ask_to_finish(self) -> None:
        """Housekeeping has no half-way."""

    def kill(self, why: str) -> None:
        self._unwanted.set()
        if self._run is not None:
            _settle(self._run, Crashed(why))

    def memory_mb(self) -> float:
        return 0.0

    async def close(self) -> None:
        self.kill("closed")


def _settle(run: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not run.done():
        run.set_result(outcome)


def _call(handler: str, request: Any, report: OnProgress) -> Outcome:
    try:
        return Finished(import_string(handler)(request, report))
    except Cancelled:
        return Stopped()
    except PersonError as error:
        return Refused.of(error)
    except Exception as error:  # noqa: BLE001  (becomes data, like one from the child)
        return Raised(f"{type(error).__name__}: {error}", traceback.format_exc(), isinstance(error, TransientError))
