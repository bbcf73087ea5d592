"""Who asks the API: the member whose token it is, or whoever the session cookie says, visitors included."""

from __future__ import annotations

from typing import Any

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
        requester = requester_of(request, create=request.method == "POST")
        # A cookie is sent by the browser without being asked; a token is not, so only the cookie needs this.
        if requester.is_member and request.method not in SAFE and check_csrf(request) is not None:
            raise HttpError(403, _("The CSRF token is missing or wrong."))
        return requester

    def authenticate(self, request: HttpRequest, token: str) -> Requester | None:
        user = ApiToken.owner_of(token)
        if user is None:
            return None
        return Requester(user=user, session_key=None, address_hash=address_hash(client_address(request.META)))
