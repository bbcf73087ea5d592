"""What a load balancer and a crawler ask for."""

from __future__ import annotations

import asyncio
import os
import secrets

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import WorkerHeartbeat


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        return False


def data_dir_is_writable() -> bool:
    return os.access(settings.DATA_DIR, os.W_OK | os.X_OK)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers and the data directory can be written; else 503 that says which is wrong."""
    parts = {"database": database_answers(), "data_dir": data_dir_is_writable()}
    healthy = all(parts.values())
    return JsonResponse({"status": "ok" if healthy else "failing", **parts}, status=200 if healthy else 503)


async def _layer_answers(alias: str) -> bool:
    """Whether a message that is sent arrives, within two seconds."""
    layer = get_channel_layer(alias)
    if layer is None:
        return False
    try:
        async with asyncio.timeout(2):
            channel = await layer.new_channel("ready")
            await layer.send(channel, {"type": "ready"})
            return (await layer.receive(channel))["type"] == "ready"
    except Exception:  # noqa: BLE001  (whatever it is, it does not answer)
        return False


def channel_layers_answer() -> bool:
    return all(async_to_sync(_layer_answers)(alias) for alias in settings.CHANNEL_LAYERS)


def storage_is_writable() -> bool:
    """Tried, not asked: a volume that is full or mounted for reading says yes to every question."""
    try:
        name = default_storage.save(f"ready/{secrets.token_hex(8)}", ContentFile(b"ready"))
        default_storage.delete(name)
    except Exception:  # noqa: BLE001
        return False
    return True


def a_worker_is_alive() -> bool:
    try:
        return any(worker.is_alive and not worker.draining for worker in WorkerHeartbeat.objects.alive())
    except DatabaseError:
        return False


def readiness() -> dict[str, bool]:
    return {
        "database": database_answers(),
        "channel_layer": channel_layers_answer(),
        "storage": storage_is_writable(),
        "worker": a_worker_is_alive(),
    }


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while a picture that is sent now would be checked; else 503 that says what is missing."""
    parts = readiness()
    ready = all(parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Pages about one person's picture are nobody else's to index, shared ones included."""
    private = ("/checks/", "/s/", "/files/", "/jobs/", "/api/", "/accounts/", "/account/", "/review/", "/admin/")
    private += ("/create/s/", "/create/public/")  # what can be taken back at once must not lie in an index
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in private)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
