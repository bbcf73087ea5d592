"""One submission, two ways to hear of it: a program (and the page's script) reads JSON, a plain form gets a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from jobs.refusal import Refusal
from jobs.requester import requester_of
from jobs.snapshot import snapshot

from . import pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.requester import Requester

    from .forms import CheckForm
    from .models import Check
    from .submission import Outcome


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def to_submission(request: HttpRequest, requester: Requester, outcome: Outcome) -> HttpResponse:
    failure = outcome.answer
    if wants_json(request):
        status, headers = (failure.status, failure.headers) if failure else (202, {})
        return JsonResponse(_as_json(outcome.accepted, outcome.refused), status=status, headers=headers)
    if failure:
        return _page_again(request, requester, failure, outcome.refused)
    for refusal in outcome.refused:
        messages.error(request, f"{refusal.name}: {refusal.message}" if refusal.name else refusal.message)
    return redirect(outcome.accepted[0]) if len(outcome.accepted) == 1 else redirect("detection:history")


def to_invalid_form(request: HttpRequest, form: CheckForm) -> HttpResponse:
    refused = [
        Refusal(name="", code=error.code or "invalid", message=" ".join(error.messages), status=400)
        for error in form.errors.as_data()["files"]
    ]
    if wants_json(request):
        return JsonResponse(_as_json((), refused), status=400)
    return _page_again(request, requester_of(request, create=False), refused[0], refused)


def to_full_queue(request: HttpRequest, check: Check, requester: Requester, refusal: Refusal) -> HttpResponse:
    messages.error(request, refusal.message)
    context = pages.result_context(request, check, requester)
    response = render(request, "detection/result.html", context, status=refusal.status)
    return _with_headers(response, refusal)


def _page_again(
    request: HttpRequest,
    requester: Requester,
    failure: Refusal,
    refused: Sequence[Refusal],
) -> HttpResponse:
    context = pages.check_context(requester, refused)
    response = render(request, "detection/check.html", context, status=failure.status)
    return _with_headers(response, failure)


def _with_headers(response: HttpResponse, refusal: Refusal) -> HttpResponse:
    for name, value in refusal.headers.items():
        response[name] = value
    return response


def _as_json(accepted: Sequence[Check], refused: Sequence[Refusal]) -> dict[str, Any]:
    return {
        "checks": [
            {
                "id": str(check.pk),
                "url": check.get_absolute_url(),
                "job": snapshot(check.job),
                "socket": f"/ws/jobs/{check.job_id}/",
                "name": check.title,
            }
            for check in accepted
        ],
        "errors": [{"name": refusal.name, "code": refusal.code, "message": refusal.message} for refusal in refused],
    }
