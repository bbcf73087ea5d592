"""What channels are for: waking workers and sockets. Losing any of it costs time, never a job."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

logger = logging.getLogger(__name__)

JOBS_LAYER: Final = "jobs"
JOBS_CHANNEL: Final = "jobs"
NUDGE: Final = {"type": "job.nudge"}
LAYER_SECONDS: Final = 2.0


def group_of(job_id: UUID | str) -> str:
    return f"job.{job_id}"


async def _soon(send: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """A layer that neither answers nor refuses must hold up neither an upload nor a worker."""
    async with asyncio.timeout(LAYER_SECONDS):
        await send(*arguments)


def nudge_workers() -> None:
    """Tell some worker that the table has changed. Empty on purpose: whoever wakes reads the rows."""
    try:
        layer: Any = get_channel_layer(JOBS_LAYER)
        async_to_sync(_soon)(layer.send, JOBS_CHANNEL, NUDGE)
    except ChannelFull:
        pass  # a thousand nudges are waiting already
    except Exception as error:  # noqa: BLE001  (Redis may be away; workers look by themselves every few seconds)
        logger.warning("nudge not sent: %s", error)


def announce(job_id: UUID | str) -> None:
    """Tell the sockets of a job that its row has changed; each reads the row itself."""
    try:
        layer: Any = get_channel_layer()
        async_to_sync(_soon)(layer.group_send, group_of(job_id), {"type": "job.changed"})
    except Exception as error:  # noqa: BLE001  (sockets read the row by themselves every few seconds)
        logger.warning("change of job %s not announced: %s", job_id, error)


async def announce_progress(job_id: UUID | str, snapshot: dict[str, Any]) -> None:
    try:
        layer: Any = get_channel_layer()
        await _soon(layer.group_send, group_of(job_id), {"type": "job.progress", "snapshot": snapshot})
    except Exception as error:  # noqa: BLE001
        logger.warning("progress of job %s not announced: %s", job_id, error)
