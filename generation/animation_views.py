"""The animation wizard: two pages that work without a script, between which nothing that was sent is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs.errors import QuotaExceeded
from jobs.requester import requester_of

from . import animations, motions, services, statements
from .animation import DRIVER, PORTRAIT
from .animation_forms import CastForm, SettingsForm
from .consents import TermsAcceptance
from .forms import AffirmationForm
from .refusals import Refused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from jobs.models import Artifact
    from jobs.requester import Requester

    from .animations import Cast, Earlier
    from .views import MembersRequest


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: MembersRequest) -> HttpResponse:
    """Who plays: the portrait, and what moves it."""
    requester = requester_of(request)
    earlier = _earlier(request, requester)
    posted = request.method == "POST"
    form = CastForm(requester, earlier, _cast(request, requester))
    refused, status = "", 200
    try:
        animations.check_before(requester)
        if posted:
            form = CastForm(requester, earlier, None, request.POST, request.FILES)
            if form.is_valid():
                return redirect(_address("generation:animate_go", form.cast(), earlier))
            status = 400
    except (Refused, QuotaExceeded) as error:
        refused, status = error.message, (error.status if posted else 200)
    context = {"form": form, "earlier": earlier, "motions": motions.motions(), "refused": refused}
    return render(request, "generation/animate_start.html", context | _standing(request), status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def go(request: MembersRequest) -> HttpResponse:
    """Under which statements, and how."""
    requester = requester_of(request)
    cast = _cast(request, requester)
    if cast is None:
        messages.error(request, _("Files wait for an hour or so between the steps. Please choose them once more."))
        return redirect("generation:animate")
    earlier = _earlier(request, requester)
    posted = request.POST if request.method == "POST" else None
    steps = statements.steps(requester, _files(cast), posted, request.FILES if posted is not None else None)
    form = SettingsForm(posted, initial=earlier.options if earlier else None)
    affirmation = AffirmationForm(posted)
    refused, status = "", 200
    if posted is not None:
        status = 400
        if all([form.is_valid(), affirmation.is_valid(), *(step.is_valid() for step in steps)]):
            try:
                animations.check_before(requester)
                consents = {step.role: step.save(requester) for step in steps}
                made = animations.submit(
                    requester, cast, consents, affirmed=True, options=form.options, title=form.cleaned_data["title"]
                )
                return redirect("generation:result", made.pk)
            except (Refused, QuotaExceeded) as error:
                refused, status = error.message, error.status
    back = _address("generation:animate", cast, earlier)
    context = {"cast": cast, "steps": steps, "form": form, "affirmation": affirmation, "refused": refused, "back": back}
    return render(request, "generation/animate_go.html", context | _standing(request), status=status)


def _files(cast: Cast) -> dict[str, tuple[str, Artifact]]:
    files = {PORTRAIT: (_("Who is in the portrait?"), cast.portrait)}
    if cast.clip is not None:
        files[DRIVER] = (_("Who is in the driving clip?"), cast.clip)
    return files


def _cast(request: HttpRequest, requester: Requester) -> Cast | None:
    return animations.cast_of(requester, request.GET.get("portrait"), request.GET.get("driver"))


def _earlier(request: HttpRequest, requester: Requester) -> Earlier | None:
    try:
        return animations.earlier(requester, UUID(request.GET.get("again", "")))
    except ValueError:
        return None


def _address(name: str, cast: Cast, earlier: Earlier | None) -> str:
    told = {"portrait": str(cast.portrait.pk), "driver": cast.driver}
    told |= {} if earlier is None else {"again": str(earlier.generation.pk)}
    return f"{reverse(name)}?{urlencode(told)}"


def _standing(request: MembersRequest) -> dict[str, object]:
    return {
        "left": services.daily_left(request.user),
        "accepted": TermsAcceptance.of(request.user) is not None,
        "longest": settings.JOBS_VIDEO_SECONDS,
    }
