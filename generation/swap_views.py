"""The swap wizard: two pages that work without a script, between which nothing that was sent is lost."""

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

from . import services, statements, swaps
from .consents import TermsAcceptance
from .forms import AffirmationForm
from .refusals import Refused
from .swap_forms import CastForm, LessonForm, SettingsForm, TitleForm
from .swaps import SOURCE, TARGET

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from jobs.models import Artifact
    from jobs.requester import Requester

    from .swaps import Cast, Earlier
    from .views import MembersRequest


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: MembersRequest) -> HttpResponse:
    """Who is painted into what."""
    requester = requester_of(request)
    earlier = _earlier(request, requester)
    posted = request.method == "POST"
    form = CastForm(
        requester,
        earlier,
        _cast(request, requester),
        request.POST if posted else None,
        request.FILES if posted else None,
    )
    refused, status = "", 200
    try:
        swaps.check_before(requester)
        if posted and form.is_valid():
            return redirect(_address("generation:swap_go", form.cast(), earlier))
        status = 400 if form.errors else 200
    except (Refused, QuotaExceeded) as error:
        refused, status = error.message, (error.status if posted else 200)
    context = {"form": form, "earlier": earlier, "refused": refused, "longest": f"{settings.JOBS_VIDEO_SECONDS:g}"}
    return render(request, "generation/swap_start.html", context | _standing(request), status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def go(request: MembersRequest) -> HttpResponse:
    """Under which statements, and how."""
    requester = requester_of(request)
    cast = _cast(request, requester)
    if cast is None:
        messages.error(request, _("Files wait for an hour or so between the steps. Please choose them once more."))
        return redirect("generation:swap")
    earlier = _earlier(request, requester)
    posted = request.POST if request.method == "POST" else None
    before = earlier.options if earlier else None
    steps = statements.steps(requester, _files(cast), posted, request.FILES if posted is not None else None)
    title, settings_form = TitleForm(posted, initial=before), SettingsForm(posted, initial=before)
    lesson = LessonForm(posted) if cast.source is not None else None
    affirmation = AffirmationForm(posted)
    refused, status = "", 200
    if posted is not None:
        status = 400
        forms = [title, settings_form, affirmation, *([] if lesson is None else [lesson])]
        if all([*(form.is_valid() for form in forms), *(step.is_valid() for step in steps)]):
            told = {**title.cleaned_data, **settings_form.cleaned_data, **({} if lesson is None else lesson.options)}
            try:
                swaps.check_before(requester)
                consents = {step.role: step.save(requester) for step in steps}
                heading = str(told.pop("title"))
                made = swaps.submit(requester, cast, consents, affirmed=True, options=told, title=heading)
                return redirect("generation:result", made.pk)
            except (Refused, QuotaExceeded) as error:
                refused, status = error.message, error.status
    context = {
        "cast": cast,
        "steps": steps,
        "title": title,
        "lesson": lesson,
        "settings": settings_form,
        "affirmation": affirmation,
        "refused": refused,
        "back": _address("generation:swap", cast, earlier),
    }
    return render(request, "generation/swap_go.html", context | _standing(request), status=status)


def _files(cast: Cast) -> dict[str, tuple[str, Artifact]]:
    files = {TARGET: (_("Who is in the picture or clip whose face is replaced?"), cast.target)}
    if cast.source is not None:
        files[SOURCE] = (_("Who is the person whose face is learned and painted?"), cast.source)
    return files


def _cast(request: HttpRequest, requester: Requester) -> Cast | None:
    return swaps.cast_of(requester, request.GET.get("target"), request.GET.get("who"))


def _earlier(request: HttpRequest, requester: Requester) -> Earlier | None:
    try:
        return swaps.earlier(requester, UUID(request.GET.get("again", "")))
    except ValueError:
        return None


def _address(name: str, cast: Cast, earlier: Earlier | None) -> str:
    told = {"target": str(cast.target.pk), "who": cast.who}
    told |= {} if earlier is None else {"again": str(earlier.generation.pk)}
    return f"{reverse(name)}?{urlencode(told)}"


def _standing(request: MembersRequest) -> dict[str, object]:
    return {
        "left": services.daily_left(request.user),
        "accepted": TermsAcceptance.of(request.user) is not None,
    }
