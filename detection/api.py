"""The same checks for programs: /api/v1/checks. Same intake, same limits, same answers as the pages."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Status, UploadedFile

from jobs.views import artifact_response

from . import pictures, services
from .api_auth import AuthorisedRequest
from .models import Check
from .pages import PAGE_SIZE
from .report.answer import answer as report_answer
from .schemas import CheckOut, CheckPage, ErrorOut, check_out, line_out, location

router = Router(tags=["checks"])
ERRORS = {401: ErrorOut, 403: ErrorOut}


@router.post(
    "/checks",
    response={202: CheckOut, 400: ErrorOut, 413: ErrorOut, 415: ErrorOut, 429: ErrorOut, 503: ErrorOut, **ERRORS},
    url_name="checks",
    summary="Check a picture or video",
)
def create(
    request: AuthorisedRequest, response: HttpResponse, file: File[UploadedFile], improve: Form[bool] = False
) -> Status[CheckOut]:
    """Send a JPEG, PNG or WebP photo, or an MP4, MOV or WebM video, as multipart field `file`.

    `Location` says where its check can be asked for. With `improve=true` cut-outs of its faces may be used to improve
    the detectors, once people have judged them.
    """
    check = services.submit_check(request.auth, file, improve=improve)
    response["Location"] = location(check)
    return Status(202, check_out(request, check))


@router.get("/checks", response={200: CheckPage, **ERRORS}, url_name="checks", summary="Your checks, newest first")
def history(request: AuthorisedRequest, page: Query[int] = 1) -> CheckPage:
    found = Paginator(Check.objects.select_related("job", "review").owned_by(request.auth), PAGE_SIZE).get_page(page)
    return CheckPage(
        items=[line_out(request, check) for check in found],
        count=found.paginator.count,
        page=found.number,
        pages=found.paginator.num_pages,
    )


@router.get(
    "/checks/{check_id}",
    response={200: CheckOut, 404: ErrorOut, **ERRORS},
    url_name="check",
    summary="One check, with its verdict once it is there",
)
def read(request: AuthorisedRequest, check_id: UUID) -> CheckOut:
    return check_out(request, _own(request, check_id))


@router.delete(
    "/checks/{check_id}",
    response={204: None, 404: ErrorOut, **ERRORS},
    url_name="check",
    summary="Delete a check and its pictures now",
)
def delete(request: AuthorisedRequest, check_id: UUID) -> Status[None]:
    services.delete_check(_own(request, check_id))
    return Status(204, None)


@router.get(
    "/checks/{check_id}/report.json",
    response={200: dict, 404: ErrorOut, **ERRORS},
    url_name="check_report_json",
    summary="The report of a check, for programs",
)
def report_json(request: AuthorisedRequest, check_id: UUID) -> HttpResponse:
    """The verdict with the hash of the file, the versions that made it, and the caveat. 404 before the verdict."""
    check = _judged(request, check_id)
    return report_answer(request, check, "json", pictures.for_program(check), private=True)


@router.get(
    "/checks/{check_id}/report.pdf",
    response={200: bytes, 404: ErrorOut, **ERRORS},
    url_name="check_report_pdf",
    summary="The report of a check, for people (application/pdf)",
)
def report_pdf(request: AuthorisedRequest, check_id: UUID) -> HttpResponse:
    """The same as a PDF of a few pages, with the pictures of the faces. 404 before the verdict."""
    check = _judged(request, check_id)
    return report_answer(request, check, "pdf", pictures.for_program(check), private=True)


@router.get(
    "/checks/{check_id}/pictures/{picture_id}",
    response={200: bytes, 404: ErrorOut, **ERRORS},
    url_name="check_picture",
    summary="One picture of a check (image/jpeg)",
)
def picture(request: AuthorisedRequest, check_id: UUID, picture_id: UUID) -> HttpResponseBase:
    """A picture that the check's page shows. The original is not among them."""
    shown = pictures.shown_of(_own(request, check_id), picture_id)
    if shown is None:
        raise Http404
    return artifact_response(request, shown)


def _judged(request: AuthorisedRequest, check_id: UUID) -> Check:
    found = _own(request, check_id)
    if not found.level:
        raise Http404
    return found


def _own(request: AuthorisedRequest, check_id: UUID) -> Check:
    # A reviewer's view of other people's pictures stays behind the second factor of the pages.
    found: Check = get_object_or_404(Check.objects.for_page().owned_by(request.auth), pk=check_id)
    return found
