"""A report as an answer to a browser or a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.http import HttpResponse, JsonResponse
from django.utils.cache import add_never_cache_headers

from . import as_json
from .contents import gather

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from detection.models import Check
    from jobs.models import Artifact

    from .contents import Contents

Form = Literal["json", "pdf"]


def answer(
    request: HttpRequest, check: Check, form: Form, url_of: Callable[[Artifact], str], *, private: bool
) -> HttpResponse:
    contents = gather(check, url_of, request.build_absolute_uri("/").rstrip("/"), private=private)
    response = _pdf(contents) if form == "pdf" else _json(contents)
    response["Content-Disposition"] = f'attachment; filename="{file_name(check)}.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    add_never_cache_headers(response)
    return response


def file_name(check: Check) -> str:
    """By the original's hash: it ties report and file together, and nothing that an uploader wrote is in it."""
    return f"unmask-report-{check.original.sha256[:8] if check.original else format(check.created, '%Y%m%d-%H%M%S')}"


def _json(contents: Contents) -> HttpResponse:
    return JsonResponse(as_json.document(contents), json_dumps_params={"indent": 2, "ensure_ascii": False})


def _pdf(contents: Contents) -> HttpResponse:
    # Loading reportlab takes a quarter of a second: whoever asks for a PDF waits for it, the site's start does not.
    from .as_pdf import render

    return HttpResponse(render(contents), content_type="application/pdf")
