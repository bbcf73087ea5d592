"""What the templates are given. The views decide who may see a page; here stands what is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from django.urls import reverse

from jobs.snapshot import snapshot

from . import evaluation, pictures, services
from .desk import notice, telling
from .forms import CheckForm, ReportForm
from .limits import limits
from .models import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from jobs.refusal import Refusal
    from jobs.requester import Requester

PAGE_SIZE: Final = 20
RECENT: Final = 4
REFRESH_SECONDS: Final = 3  # how often a page without JavaScript looks again while the check goes on


def own_checks(requester: Requester) -> Any:
    return Check.objects.for_page().owned_by(requester)


def check_context(requester: Requester, errors: Sequence[Refusal] = ()) -> dict[str, Any]:
    recent = list(own_checks(requester)[:RECENT])
    for check in recent:
        pictures.address(check, [], pictures.for_owner)
    return {"form": CheckForm(), "limits": limits(), "recent": recent, "errors": list(errors)}


def history_context(requester: Requester, page: str | None) -> dict[str, Any]:
    page_obj = Paginator(own_checks(requester), PAGE_SIZE).get_page(page)
    for check in page_obj:
        pictures.address(check, [], pictures.for_owner)
    answers = telling.unread(requester)
    return {"page_obj": page_obj, "is_member": requester.is_member, "limits": limits(), "answers": answers}


def result_context(
    request: HttpRequest, check: Check, requester: Requester, report_form: ReportForm | None = None
) -> dict[str, Any]:
    mine = check.is_owned_by(requester)
    faces = pictures.faces_of(check)
    pictures.address(check, faces, pictures.for_owner)
    job = snapshot(check.job)
    reports = telling.reports_on(check, requester)
    return {
        "check": check,
        "faces": faces,
        "frames": pictures.frames_of(check, pictures.for_owner),
        "preview_url": pictures.preview_of(check, pictures.for_owner),
        "job": job,
        "snapshot_json": job,
        "bands": check.bands,
        "can_manage": mine,
        "can_retry": mine and services.can_retry(check),
        "share_url": share_url(request, check) if mine else "",
        "report_form": report_form or ReportForm(),
        "reported": telling.is_open(reports),
        "answer": telling.answer_in(reports),
        "on_desk": notice.for_owner(check) if mine else None,
        "limits": limits(),
        "socket_path": f"/ws/jobs/{check.job_id}/",
        "state_url": reverse("jobs:state", args=[check.job_id]),
        "cancel_url": reverse("jobs:cancel", args=[check.job_id]) if mine else "",
        "refresh_seconds": REFRESH_SECONDS if check.job.is_unfinished else None,
    }


def shared_context(check: Check, token: str) -> dict[str, Any]:
    faces = pictures.faces_of(check)
    pictures.address(check, faces, pictures.for_link(token))
    frames = pictures.frames_of(check, pictures.for_link(token))
    preview = pictures.preview_of(check, pictures.for_link(token))
    return {"check": check, "faces": faces, "frames": frames, "preview_url": preview, "bands": check.bands}


def method_context() -> dict[str, Any]:
    return {"evaluation": evaluation.read(), "plots": evaluation.plots()}


def share_url(request: HttpRequest, check: Check) -> str:
    if not check.is_shared:
        return ""
    return request.build_absolute_uri(reverse("detection:shared", args=[check.share_token]))
