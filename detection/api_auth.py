"""Who asks the API: the member whose token it is, or whoever the session cookie says, visitors included."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import HttpError
from ninja.security import HttpBearer
from ninja.utils import check_csrf

from jobs.requester import Requester, address_hash, client_address, requester_of

from .models import ApiToken

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class AuthorisedRequest(HttpRequest):
    """A request that TokenOrSession has let in."""

    auth: Requester


class TokenOrSession(HttpBearer):
    csrf = True  # the OpenAPI page sends the token along

    def __call__(self, request: HttpRequest) -> Any:
        if "Authorization" in request.headers:
            return super().__call__(request)  # a token that does not hold never falls back to a cookie
        # A cookie is sent by the browser without being asked; a token is not, so only the cookie needs this. A form of
        # another site comes without cookies: it would be answered with the session of a new visitor, in the place of
        # the one by which somebody finds their checks.
        if request.method not in SAFE and (
            is_foreign(request) or (_is_member(request) and check_csrf(request) is not None)
        ):
            raise HttpError(403, _("The CSRF token is missing or wrong."))
        return requester_of(request, create=request.method == "POST")

    def authenticate(self, request: HttpRequest, token: str) -> Requester | None:
        user = ApiToken.owner_of(token)
        if user is None:
            return None
        return Requester(user=user, session_key=None, address_hash=address_hash(client_address(request.META)))


def is_foreign(request: HttpRequest) -> bool:
    """Whether a page of another site had the browser send this. Programs that are no browsers name no origin."""
    origin = request.headers.get("Origin")
    own = f"{request.scheme}://{request.get_host()}"
    return origin is not None and origin != own and origin not in settings.CSRF_TRUSTED_ORIGINS


def _is_member(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated)
