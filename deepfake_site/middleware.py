"""Guards in front of every view: bodies larger than any upload may be, and staff without a second factor, who get no
websocket either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

GetResponse = Callable[[HttpRequest], HttpResponse]
FORM_OVERHEAD = 1024 * 1024  # boundaries, names and the other fields


class BodyLimitMiddleware:
    """Answer 413 to a body that no view would take, before CSRF protection or a view parses it to disk.

    A body of unknown length needs no look here: Django reads none of it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        pictures = settings.JOBS_PICTURE_BYTES * settings.DETECTION_FILES_AT_ONCE
        self.limit = max(pictures, settings.JOBS_VIDEO_BYTES) + FORM_OVERHEAD

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.too_large(request.META.get("CONTENT_LENGTH") or "0"):
            return self.get_response(request)
        # Not a page: reading the session for one would be more than this deserves.
        message = _("That is more than %(size)d MB at once.") % {"size": self.limit // 1024 // 1024}
        if request.get_preferred_type(["application/json", "text/plain", "text/html"]) != "application/json":
            return HttpResponse(message, status=413, content_type="text/plain; charset=utf-8")
        return JsonResponse({"error": {"code": "too_large", "message": message, "id": None}}, status=413)

    def too_large(self, length: str) -> bool:
        return not length.isdecimal() or len(length) > 15 or int(length) > self.limit


class StaffSecondFactorMiddleware:
    """Staff see other people's pictures, so they get nowhere before a second factor is set up. allauth asks for the
    factor at every sign-in from then on; the desk has no other door (see apps.py)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_SECOND_FACTOR_REQUIRED and self.must_set_up(request):
            if not len(messages.get_messages(request)):  # once, however many parts of a page were asked for
                messages.warning(request, _("Staff accounts need a second factor. Please set one up to go on."))
            return redirect("mfa_activate_totp")
        return self.get_response(request)

    @staticmethod
    def must_set_up(request: HttpRequest) -> bool:
        doors = (reverse("account_login").removesuffix("login/"), settings.STATIC_URL, "/healthz", "/readyz")
        if request.path.startswith(doors):
            return False
        return lacks_second_factor(request.user)


def lacks_second_factor(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_staff and not is_mfa_enabled(user))


class StaffSecondFactorSockets:
    """The same for websockets, which no middleware of pages sees: without it nobody is at the other end. Belongs
    inside of what puts the user into the scope."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if settings.STAFF_SECOND_FACTOR_REQUIRED and await sync_to_async(lacks_second_factor)(scope["user"]):
            scope = {**scope, "user": AnonymousUser(), "session": None}
        return await self.application(scope, receive, send)
