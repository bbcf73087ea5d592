"""`manage.py serve`: pages, sockets and the worker in one process, with the inference child beside it."""

from __future__ import annotations

import argparse
import asyncio
import logging
from typing import TYPE_CHECKING, Any

from channels.routing import get_default_application
from daphne import http_protocol
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from twisted.internet import defer, reactor

from jobs.listener import start_listening

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.worker import Worker

logger = logging.getLogger(__name__)


class UnparsedRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """A request whose form Django alone takes apart.

    Twisted would do so first, in the event loop and for nobody: a video of 90 MB then held everything up for seconds,
    in 1.3 GB of memory."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)

    def handleContentChunk(self, data: bytes) -> None:
        """Twisted keeps a body in a file until its end, however long it is, and only then is anybody asked. What is
        far beyond every limit is heard out and thrown away: it is refused in the end, and fills no disk before."""
        room = largest_kept() - self.content.tell()
        super().handleContentChunk(data[: max(0, room)])


def largest_kept() -> int:
    """In bytes. Twice what any form may hold, so that nothing is cut that would have been taken."""
    pictures = settings.JOBS_PICTURE_BYTES * settings.DETECTION_FILES_AT_ONCE
    return 2 * int(max(pictures, settings.JOBS_VIDEO_BYTES))


class SiteServer(Server):  # type: ignore[misc]  # daphne has no types
    """Daphne, telling when it listens or cannot."""

    def __init__(self, *args: Any, on_listening: Callable[[str, int], None], **kwargs: Any) -> None:
        http_protocol.WebRequest = UnparsedRequest  # its factory has no other way to be given one
        super().__init__(*args, request_buffer_size=64 * 1024, **kwargs)
        self._on_listening = on_listening
        self.failure = ""

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        host = port.getHost()
        self._on_listening(host.host, host.port)

    def listen_error(self, failure: Any) -> None:
        self.failure = failure.getErrorMessage()
        super().listen_error(failure)


class Command(BaseCommand):
    requires_migrations_checks = True
    help = "Run the site: pages, live progress and the worker in one process. Stops cleanly on SIGTERM or Ctrl-C."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: %(default)s).")
        parser.add_argument("--port", type=int, default=8000, help="Port to listen on (default: %(default)s).")
        parser.add_argument(
            "--worker",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="Run the worker in this process (default), or leave the jobs to `manage.py work`.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._with_worker: bool = options["worker"]
        self._worker: Worker | None = None
        self._tasks: list[asyncio.Task[None]] = []
        server = SiteServer(
            application=get_default_application(),
            endpoints=build_endpoint_description_strings(host=options["host"], port=options["port"]),
            on_listening=self._tell_address,
            # Not callWhenRunning: it calls before the event loop runs, and swallows what that raises.
            ready_callable=lambda: reactor.callLater(0, self._when_running),  # type: ignore[arg-type]
            server_name="unmask",
            application_close_timeout=5,
        )
        reactor.addSystemEventTrigger("before", "shutdown", self._before_shutdown)  # type: ignore[arg-type]
        server.run()
        if server.failure:
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {server.failure}")

    def _tell_address(self, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"Unmask is at http://{shown}:{port}")
        self.stdout.flush()

    def _when_running(self) -> None:
        # Inside the running loop, so everything that the worker makes belongs to it.
        if self._with_worker:
            self._tasks.append(asyncio.get_running_loop().create_task(self._start_worker(), name="start-worker"))

    async def _start_worker(self) -> None:
        self._worker, listening = await start_listening()
        self._tasks.append(listening)
        await self._worker.warm.wait()
        self.stdout.write(f"Jobs run on {self._worker.device}")
        self.stdout.flush()

    def _before_shutdown(self) -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._stop()))

    async def _stop(self) -> None:
        try:
            if self._worker is not None:
                await self._worker.drain()
        except Exception:
            logger.exception("the worker did not drain cleanly")  # its leases run out; the next start takes them back
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
