"""Polling, cancelling, and the one door through which stored files leave."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from django.http import FileResponse, Http404, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import parse_etags
from django.views.decorators.http import require_GET, require_POST, require_safe

from . import lifecycle, midway
from .models import Artifact, Job
from .ranges import Part, Unsatisfiable, asked_range
from .requester import MAY_SEE, MAY_SEE_FILES, MAY_STOP, requester_of
from .snapshot import snapshot

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

SHOWN_IN_PLACE = frozenset({"image/jpeg", "image/png", "image/webp"})


def visible_job(request: HttpRequest, job_id: UUID, permission: str = MAY_SEE) -> Job:
    """The job, if it is the requester's own, or they are staff with that permission; else 404, as for no job."""
    requester = requester_of(request, create=False)
    jobs = Job.objects.all() if requester.may(permission) else Job.objects.visible_to(requester)
    job: Job = get_object_or_404(jobs, pk=job_id)
    return job


@require_GET
def state(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """For clients without a socket: the snapshot, or 304 while nothing has changed."""
    body = json.dumps(snapshot(visible_job(request, job_id)))
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    response: HttpResponse
    if request.headers.get("If-None-Match", "").removeprefix("W/") == etag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Cookie"
    return response


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    job = visible_job(request, job_id, MAY_STOP)
    lifecycle.cancel(job.pk)
    job.refresh_from_db()
    shown = snapshot(job)
    if "text/html" in request.headers.get("Accept", ""):
        return redirect(shown["result_url"] or "/")
    return JsonResponse(shown)


@require_POST
def finish(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Use what there is so far; answers like `cancel`."""
    job = visible_job(request, job_id, MAY_STOP)
    midway.enough(job.pk)
    job.refresh_from_db()
    shown = snapshot(job)
    if "text/html" in request.headers.get("Accept", ""):
        return redirect(shown["result_url"] or "/")
    return JsonResponse(shown)


@require_safe
def artifact(request: HttpRequest, artifact_id: UUID, name: str) -> HttpResponseBase:
    """A file that was made from pixels, for its owner. Originals hold what cameras write into them (places, names):
    they are evidence, for staff only."""
    requester = requester_of(request, create=False)
    if requester.may(MAY_SEE_FILES):
        artifacts = Artifact.objects.exclude(role=Artifact.LEARNED)
    else:
        artifacts = Artifact.objects.visible_to(requester).exclude(role__in=(Artifact.ORIGINAL, Artifact.LEARNED))
    found = get_object_or_404(artifacts, pk=artifact_id)
    if name != found.public_name:
        raise Http404
    return artifact_response(request, found)


def artifact_response(request: HttpRequest, found: Artifact) -> HttpResponseBase:
    """Serve an artifact to whoever may see it, whole or in part: never sniffed, never run, cached by them alone."""
    etag = f'"{found.sha256}"'
    response: HttpResponseBase
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponseNotModified()
    else:
        try:
            response = _file_response(request, found, asked_range(request, found.size, etag))
        except Unsatisfiable:
            response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{found.size}"})
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=3600"
    response["Vary"] = "Cookie"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _file_response(request: HttpRequest, found: Artifact, part: tuple[int, int] | None) -> FileResponse:
    try:
        stored = found.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        stored if part is None else Part(stored, part[0], part[1] - part[0] + 1),
        content_type=found.content_type,
        as_attachment=found.content_type not in SHOWN_IN_PLACE or "download" in request.GET,
        filename=found.public_name,
    )
    if part is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {part[0]}-{part[1]}/{found.size}"
        response["Content-Length"] = str(part[1] - part[0] + 1)
    return response
