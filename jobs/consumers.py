"""The two ends of channels: `JobWorker` is woken by nudges, `JobSocket` tells a browser how its job goes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

from channels.consumer import AsyncConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.utils.translation import override

from .database import in_database
from .models import Job
from .moves import seq_now
from .requester import MAY_SEE, language_of_scope, requester_of_scope
from .snapshot import relabelled, snapshot
from .states import UNFINISHED, JobState
from .wake import JOBS_LAYER, group_of
from .worker import worker_of_this_process

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from .requester import Requester

logger = logging.getLogger(__name__)

NOT_FOUND: Final = 4404
REFRESH_SECONDS: Final = {
    JobState.QUEUED: 2.0,
    JobState.RUNNING: 5.0,
}  # group events may be lost; the row is read anyway


class JobWorker(AsyncConsumer):  # type: ignore[misc]  # channels has no types
    """Wakes the worker of this process. An exception that left a method would drop the nudges queued behind it."""

    channel_layer_alias = JOBS_LAYER

    async def dispatch(self, message: dict[str, Any]) -> None:
        try:
            await super().dispatch(message)
        except Exception:
            logger.exception("error %s: nudge %r", secrets.token_hex(4), message.get("type"))

    async def job_nudge(self, event: dict[str, Any]) -> None:
        worker_of_this_process().wake()


class JobSocket(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Authorise, join the group, read the row, send the snapshot: in this order nothing can fall between."""

    _job_id: str = ""
    _joined = False
    _requester: Requester
    _language: str
    _last: dict[str, Any] | None = None
    _refreshing: asyncio.Task[None] | None = None
    _ended = False

    async def connect(self) -> None:
        self._job_id = str(self.scope["url_route"]["kwargs"]["job_id"])
        self._requester = requester_of_scope(self.scope)
        self._language = language_of_scope(self.scope)
        self._sending = asyncio.Lock()
        await self.accept()
        if await in_database(self._exists):
            await self._join()
            await self._tell_row("snapshot")
            self._refreshing = asyncio.create_task(self._refresh(), name=f"refresh-{self._job_id}")
        else:
            await self.close(NOT_FOUND)  # another's, or none: nobody learns which

    async def _join(self) -> None:
        """Join the group, or join it again: Redis may have been wiped. Without it the row is still read at times."""
        try:
            await self.channel_layer.group_add(group_of(self._job_id), self.channel_name)
            self._joined = True
        except Exception as error:  # noqa: BLE001
            logger.warning("socket of job %s did not join its group: %s", self._job_id, error)

    async def disconnect(self, code: int) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refreshing
        if self._joined:
            with contextlib.suppress(Exception):  # an entry that stays expires by itself
                await self.channel_layer.group_discard(group_of(self._job_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """The socket only tells. What a client sends is not even parsed."""

    # --- Group events ------------------------------------------------------------------------------------------------
    async def job_changed(self, event: dict[str, Any]) -> None:
        await self._tell_row("progress")

    async def job_progress(self, event: dict[str, Any]) -> None:
        async with self._sending:
            with override(self._language):
                shown = relabelled(event["snapshot"])
            await self._tell("progress", shown)

    # --- Telling -----------------------------------------------------------------------------------------------------
    def _visible(self) -> QuerySet[Job]:
        jobs: QuerySet[Job] = Job.objects.filter(pk=self._job_id)
        if not self._session_holds():
            return jobs.none()
        if self._requester.may(MAY_SEE):
            return jobs
        return Job.objects.visible_to(self._requester).filter(pk=self._job_id)

    def _session_holds(self) -> bool:
        """Whoever signs out, or is signed out from another browser, is told nothing more by a socket left open."""
        session = self.scope.get("session")
        return bool(session is not None and session.session_key and session.exists(session.session_key))

    def _exists(self) -> bool:
        return self._visible().exists()

    def _read(self) -> dict[str, Any] | None:
        job = self._visible().first()
        with override(self._language):
            return snapshot(job) if job is not None else None

    async def _tell_row(self, kind: str) -> None:
        """Read and send under one lock, so that an older reading never follows a newer one."""
        async with self._sending:
            try:
                shown = await in_database(self._read)
            except Exception:
                logger.exception("error %s: socket of job %s", secrets.token_hex(4), self._job_id)
                return
            if shown is None:
                if not self._ended:
                    self._ended = True
                    await self.close(NOT_FOUND)
                return
            await self._tell(kind, shown)

    async def _tell(self, kind: str, shown: dict[str, Any]) -> None:
        last = self._last
        if last is not None:
            if self._ended or shown["seq"] < last["seq"]:
                return
            if shown["seq"] == last["seq"]:
                if shown["queue_place"] == last["queue_place"]:
                    return
                # Others moved in the queue, this row did not: a number of the socket's own, below every later one.
                shown["seq"] = min(last["seq"] + 1, seq_now())
        self._last = shown
        self._ended = shown["state"] not in UNFINISHED
        if self._ended and kind != "snapshot":
            kind = "finished"
        await self.send_json({"type": kind, **shown})

    async def _refresh(self) -> None:
        while not self._ended:
            state = JobState(self._last["state"]) if self._last is not None else JobState.QUEUED
            await asyncio.sleep(REFRESH_SECONDS.get(state, 5.0))
            await self._join()
            await self._tell_row("progress")
