"""`manage.py work`: a worker alone, beside web processes elsewhere. As many as wanted, on as many machines."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand

from jobs.listener import start_listening


class Command(BaseCommand):
    requires_migrations_checks = True
    help = "Run a worker: claims waiting jobs and runs them in an inference process. Stops cleanly on SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        worker, listening = await start_listening()
        telling = asyncio.create_task(self._tell_device(worker.warm, worker))
        await stop.wait()
        await worker.drain()
        for task in (listening, telling):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _tell_device(self, warm: asyncio.Event, worker: Any) -> None:
        await warm.wait()
        self.stdout.write(f"Worker {worker.name} is ready on {worker.device}")
        self.stdout.flush()
