"""The same checks for programs: /api/v1/checks. Same intake, same limits, same answers as the pages."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import File, Query, Router, Status, UploadedFile

from . import services
from .api_auth import AuthorisedRequest
from .models import Check
from .pages import PAGE_SIZE
from .schemas import CheckOut, CheckPage, ErrorOut, check_out, line_out, location

router = Router(tags=["checks"])
ERRORS = {401: ErrorOut, 403: ErrorOut}


@router.post(
    "/checks",
    response={202: CheckOut, 400: ErrorOut, 413: ErrorOut, 415: ErrorOut, 429: ErrorOut, 503: ErrorOut, **ERRORS},
    url_name="checks",
    summary="Check a picture",
)
def create(request: AuthorisedRequest, response: HttpResponse, file: File[UploadedFile]) -> Status[CheckOut]:
    """Send a JPEG, PNG or WebP photo as multipart field `file`. `Location` says where its check can be asked for."""
    check = services.submit_check(request.auth, file)
    response["Location"] = location(check)
    return Status(202, check_out(request, check))


@router.get("/checks", response={200: CheckPage, **ERRORS}, url_name="checks", summary="Your checks, newest first")
def history(request: AuthorisedRequest, page: Query[int] = 1) -> CheckPage:
    found = Paginator(Check.objects.select_related("job").owned_by(request.auth), PAGE_SIZE).get_page(page)
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


def _own(request: AuthorisedRequest, check_id: UUID) -> Check:
    # A reviewer's view of other people's pictures stays behind the second factor of the pages.
    found: Check = get_object_or_404(Check.objects.for_page().owned_by(request.auth), pk=check_id)
    return found
