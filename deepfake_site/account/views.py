"""The pages of one's own account, beside those of django-allauth (e-mail, password, second factor, sessions)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs import bundle

from . import export, leaving, overview
from .forms import LeaveForm, ProfileForm

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    class MembersRequest(HttpRequest):
        """What login_required lets through."""

        user: User


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: MembersRequest) -> HttpResponse:
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("member:profile")
    context = {"form": form, **overview.facts(request.user)}
    return render(request, "account/profile.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def end_session(request: MembersRequest, pk: int) -> HttpResponse:
    """Sign one browser out, this one too if it is the one."""
    session: UserSession = get_object_or_404(UserSession, pk=pk, user=request.user)
    if session.is_current():
        logout(request)
        return redirect("account_login")
    session.end()
    messages.success(request, _("That browser is signed out."))
    return redirect("usersessions_list")


@never_cache
@login_required
@reauthentication_required
@require_safe
def data(request: MembersRequest) -> StreamingHttpResponse:
    """Everything in one ZIP, sent while it is read; asks for the password first, since it leaves the site's hands."""
    entries = export.entries(request.user)
    pieces = bundle.written_async if isinstance(request, ASGIRequest) else bundle.written
    response = StreamingHttpResponse(pieces(entries), content_type="application/zip")
    name = f"{settings.SITE_NAME.lower()}-{timezone.localdate().isoformat()}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: MembersRequest) -> HttpResponse:
    form = LeaveForm(request, request.POST if request.method == "POST" else None)
    if form.is_valid():
        email, farewell = request.user.email, _farewell()
        try:
            leaving.delete_account(request.user)
        except leaving.LastAdministrator:
            form.add_error(None, _("You are the only administrator here. Make somebody else one first."))
        else:
            logout(request)
            send_mail(*farewell, None, [email], fail_silently=True)
            messages.success(request, _("Your account is deleted, with everything that was kept for it."))
            return redirect("detection:check")
    context = {"form": form, **overview.facts(request.user)}
    return render(request, "account/leave.html", context, status=400 if form.errors else 200)


def _farewell() -> tuple[str, str]:
    site = {"site": settings.SITE_NAME}
    return (
        _("Your account at %(site)s was deleted") % site,
        _(
            "Somebody who knew the password deleted your account at %(site)s, with all that was kept for it. "
            "It cannot be brought back."
        )
        % site,
    )
