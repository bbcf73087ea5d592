"""The API as a whole: its doors, its one shape of error, and its OpenAPI page."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from detection.api import router as checks
from detection.api_auth import TokenOrSession
from enhancement.api import router as enhancements
from generation.api import router as creations
from generation.swap_api import router as swaps
from jobs.errors import PersonError, QuotaExceeded
from jobs.refusal import Refusal

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)
CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}

api = NinjaAPI(
    title=f"{settings.SITE_NAME} API",
    version="1",
    urls_namespace="api",
    description=(
        "Check whether a face in a picture was manipulated. Send a picture, then ask for its check until `state` is "
        "`succeeded`; every probability is the calibrated one of a manipulation. Members authenticate with a token "
        "(Authorization: Bearer ...); without one, the session cookie of the first answer is what finds a check again. "
        "Members also enhance pictures: larger, sharper, cleaner, each result signed; and with a statement of consent "
        "for every face they animate portraits, each result marked and signed."
    ),
    auth=TokenOrSession(),
)
api.add_router("/v1", checks)
api.add_router("/v1", enhancements)
api.add_router("/v1", creations)
api.add_router("/v1", swaps)


def _error(
    request: HttpRequest,
    status: int,
    code: str,
    message: str,
    error_id: str | None = None,
    retry_after: int | None = None,
) -> HttpResponse:
    body = {"error": {"code": code, "message": message, "id": error_id}}
    response: HttpResponse = api.create_response(request, body, status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


@api.exception_handler(PersonError)
@api.exception_handler(QuotaExceeded)
def refused(request: HttpRequest, error: PersonError | QuotaExceeded) -> HttpResponse:
    refusal = Refusal.of(error)
    return _error(request, refusal.status, refusal.code, refusal.message, retry_after=refusal.retry_after)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = ", ".join(sorted({str(detail["loc"][-1]) for detail in error.errors}))
    return _error(request, 400, "invalid", _("Missing or not as expected: %(fields)s.") % {"fields": fields})


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(request, 404, "not_found", _("There is no such thing here."))


@api.exception_handler(AuthenticationError)
def unauthorized(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = _error(request, 401, "unauthorized", _("This token is not known or no longer holds."))
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(request, error.status_code, CODES.get(error.status_code, "error"), str(error))


@api.exception_handler(Exception)
def bug(request: HttpRequest, error: Exception) -> HttpResponse:
    error_id = secrets.token_hex(4)
    logger.error("API error %s at %s", error_id, request.path, exc_info=error)
    return _error(request, 500, "internal", _("Something went wrong on our side."), error_id)
