"""What a load balancer and a crawler ask for."""

from __future__ import annotations

import os

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


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


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Pages about one person's picture are nobody else's to index, shared ones included."""
    private = ("/checks/", "/s/", "/files/", "/jobs/", "/api/", "/accounts/", "/account/", "/admin/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in private)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
