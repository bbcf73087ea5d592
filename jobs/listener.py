"""Channels' own worker loop, made to outlive its channel layer."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any, Final

from channels.layers import get_channel_layer
from channels.routing import get_default_application
from channels.worker import Worker as ChannelsWorker

from .wake import JOBS_CHANNEL, JOBS_LAYER, NUDGE
from .worker import Worker, worker_of_this_process

logger = logging.getLogger(__name__)

AGAIN_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)


class NudgeListener(ChannelsWorker):  # type: ignore[misc]  # channels has no types
    """Hands nudges to the `channel` application.

    A layer that is away (Redis restarted, wiped) is waited for; until then the worker looks at the table by itself.
    """

    def __init__(self) -> None:
        super().__init__(get_default_application(), [JOBS_CHANNEL], get_channel_layer(JOBS_LAYER))

    async def listener(self, channel: str) -> None:
        failures = 0
        while True:
            try:
                message = await self.channel_layer.receive(channel)
                failures = 0
            except Exception as error:  # noqa: BLE001
                wait = AGAIN_SECONDS[min(failures, len(AGAIN_SECONDS) - 1)]
                failures += 1
                logger.warning("no nudges for now (%s: %s), again in %.1f s", type(error).__name__, error, wait)
                await asyncio.sleep(wait)
                continue
            if isinstance(message, dict) and message.get("type"):
                queue = self.get_or_create_application_instance(channel, {"type": "channel", "channel": channel})
                await queue.put(message)

    async def application_exception(self, exception: BaseException, application_details: Any) -> None:
        logger.error("error %s: in a channel consumer", secrets.token_hex(4), exc_info=exception)


async def start_listening() -> tuple[Worker, asyncio.Task[None]]:
    """Start the worker of this process and keep it nudged. The worker starts at once, not only when its first nudge
    arrives: with several workers on one channel another may take that one."""
    worker = worker_of_this_process()
    worker.start()
    listening = asyncio.create_task(NudgeListener().arun(), name="nudges")
    try:
        layer: Any = get_channel_layer(JOBS_LAYER)
        await layer.send(JOBS_CHANNEL, NUDGE)
    except Exception as error:  # noqa: BLE001
        logger.warning("first nudge not sent: %s", error)
    return worker, listening
