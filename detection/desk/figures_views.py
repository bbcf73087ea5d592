"""The desk's figures, and the archive of labelled crops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from . import export as labelled
from . import figures as told
from .permissions import EXPORT
from .views import for_reviewers

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase


@for_reviewers
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    context = told.context()
    context["newest"] = labelled.NEWEST
    context["exportable"] = labelled.allowed().count() if request.user.has_perm(EXPORT) else None
    return render(request, "detection/desk/figures.html", context)


@for_reviewers
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    name = f"unmask-desk-{timezone.now():%Y%m%d}.zip"
    return FileResponse(labelled.as_file(request.user, settings.SITE_NAME), as_attachment=True, filename=name)
