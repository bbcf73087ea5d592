"""The dashboard of those who run the site, as a page of Django's admin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from . import health, operations
from .metrics import MAY_WATCH

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

DAYS: Final = 7


@require_safe
def operations_page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY_WATCH):
        raise PermissionDenied
    now = timezone.now()
    stored = operations.stored()
    context = {
        **admin.site.each_context(request),
        "title": _("Operations"),
        "ready": health.readiness(),
        "kinds": operations.by_kind(),
        "workers": operations.workers(),
        "days": DAYS,
        "failures": operations.failures(DAYS),
        "retried": operations.retried(now - timedelta(days=DAYS)),
        "devices": operations.devices(now - timedelta(days=DAYS)),
        "stored": stored,
        "stored_files": sum(files for _role, files, _size in stored),
        "stored_bytes": sum(size for _role, _files, size in stored),
        "overdue": operations.overdue(),
        "disk": operations.disk(),
        "weights": operations.weights(),
        "versions": operations.versions(),
        "now": now,
    }
    return render(request, "admin/operations.html", context)
