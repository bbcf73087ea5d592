"""The pages around what is made here: terms, consents, requests from outside. Views parse, authorise and hand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from . import pages, pleading, services, texts
from .consents import Consent, TermsAcceptance
from .forms import NeverMeForm, TakedownForm, TermsForm
from .gallery_views import own_generation
from .models import Generation

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

    class MembersRequest(HttpRequest):
        """What login_required lets through."""

        user: User


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "generation/home.html", pages.home_context(request.user))


@never_cache
@login_required
@require_safe
def result(request: MembersRequest, pk: UUID) -> HttpResponse:
    found = own_generation(request, pk)
    # A kind may have a page of its own, which extends the common one.
    templates = [f"generation/{found.kind}_result.html", "generation/result.html"]
    return render(request, templates, pages.result_context(request, found))


@require_POST
@login_required
def delete(request: MembersRequest, pk: UUID) -> HttpResponse:
    services.delete_own(get_object_or_404(Generation, owner=request.user, pk=pk))
    messages.success(request, _("It was deleted, with everything that it was made from."))
    return redirect("generation:gallery")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest) -> HttpResponse:
    text = texts.terms()
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect("account_login")
    form = TermsForm(request.POST if request.method == "POST" else None, initial={"version": text.version})
    if form.is_valid() and request.user.is_authenticated:
        services.accept_terms(request.user, form.cleaned_data["version"])
        messages.success(request, _("You have accepted the terms."))
        return redirect(_next(request) or "generation:terms")
    accepted = TermsAcceptance.of(request.user) if request.user.is_authenticated else None
    context = {"text": text, "form": form, "accepted": accepted}
    return render(request, "generation/terms.html", context, status=400 if form.errors else 200)


def _next(request: HttpRequest) -> str:
    """Where somebody came from who had to accept the terms first: a page of this site, or nowhere."""
    wanted = request.GET.get("next", "")
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=hosts, require_https=request.is_secure())
    return wanted if safe else ""


@never_cache
@login_required
@require_safe
def consents(request: MembersRequest) -> HttpResponse:
    held = Consent.objects.filter(owner=request.user)
    return render(request, "generation/consents.html", {"consents": held})


@require_POST
@login_required
def revoke(request: MembersRequest, pk: UUID) -> HttpResponse:
    ended = services.revoke_consent(get_object_or_404(Consent, owner=request.user, pk=pk))
    messages.success(
        request, _("The consent is withdrawn. What was made with it and is now deleted: %(count)d.") % {"count": ended}
    )
    return redirect("generation:consents")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def never_me(request: HttpRequest) -> HttpResponse:
    posted = request.method == "POST"
    form = NeverMeForm(request.POST if posted else None, request.FILES if posted else None)
    if form.is_valid() and pleading.may_plead(request, form):
        pleading.plead_never_me(request, form)
        messages.success(request, _("Thank you. A person will look at it; until then nothing changes."))
        return redirect("generation:never_me")
    return render(request, "generation/never_me.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def takedown(request: HttpRequest) -> HttpResponse:
    posted = request.method == "POST"
    shown = {"address": request.GET.get("address", "")[:500]}
    form = TakedownForm(request.POST if posted else None, request.FILES if posted else None, initial=shown)
    if form.is_valid() and pleading.may_plead(request, form):
        pleading.plead_takedown(request, form)
        messages.success(request, _("Thank you. A person will look at it as soon as possible."))
        return redirect("generation:takedown")
    return render(request, "generation/takedown.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def authority(request: HttpRequest) -> HttpResponse:
    """The certificate by which anybody can verify what was made here. Public by its nature; the keys are elsewhere."""
    path = settings.GENERATION_AUTHORITY_DIR / "ca.pem"
    if not path.is_file():
        raise Http404
    response = HttpResponse(path.read_bytes(), content_type="application/x-pem-file")
    response["Content-Disposition"] = 'attachment; filename="authority.pem"'
    return response
