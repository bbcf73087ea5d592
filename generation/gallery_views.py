"""The galleries, links that were given away, and the desk's list of what waits for approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from jobs.models import Artifact
from jobs.views import artifact_response

from . import bundle, gallery, pages, services, showing
from .models import Generation

if TYPE_CHECKING:
    from django.http import QueryDict
    from django.http.response import HttpResponseBase

    from .models import GenerationQuerySet
    from .views import MembersRequest


@never_cache
@login_required
@require_safe
def own(request: MembersRequest) -> HttpResponse:
    return render(request, "generation/gallery.html", pages.gallery_context(request.user, request.GET))


@require_POST
@login_required
def delete_many(request: MembersRequest) -> HttpResponse:
    picked = _picked(request.POST)
    chosen = list(Generation.objects.filter(owner=request.user, pk__in=picked).kept()[: gallery.PAGE_SIZE])
    for generation in chosen:
        services.delete_own(generation)
    if chosen:
        told = ngettext(
            "%(count)d piece was deleted, with everything that it was made from.",
            "%(count)d pieces were deleted, with everything that they were made from.",
            len(chosen),
        )
        messages.success(request, told % {"count": len(chosen)})
    else:
        messages.info(request, _("Nothing was chosen, so nothing was deleted."))
    return redirect(f"{reverse('generation:gallery')}{_query_of(request.POST)}")


@never_cache
@login_required
@require_safe
def download_all(request: MembersRequest) -> HttpResponseBase:
    rows = gallery.own(request.user, gallery.Wanted.read(request.GET)).finished()
    pieces = bundle.written_async if isinstance(request, ASGIRequest) else bundle.written
    response = StreamingHttpResponse(pieces(rows.iterator(chunk_size=100)), content_type="application/zip")
    day = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="creations-{day}.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@never_cache
@require_safe
def public(request: HttpRequest) -> HttpResponse:
    return render(request, "generation/public.html", pages.public_context(request.GET))


@never_cache
@require_safe
def public_piece(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Generation.objects.public().select_related("result", "poster"), pk=pk)
    return render(request, "generation/public_piece.html", pages.public_piece_context(request, found))


@require_safe
def public_file(request: HttpRequest, artifact: UUID, name: str) -> HttpResponseBase:
    return _sealed_file(request, Generation.objects.public(), artifact, name)


@never_cache
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    found = get_object_or_404(Generation.objects.shared().select_related("result", "poster"), share_token=token)
    return render(request, "generation/shared.html", pages.shared_context(request, found, token))


@require_safe
def shared_file(request: HttpRequest, token: str, artifact: UUID, name: str) -> HttpResponseBase:
    return _sealed_file(request, Generation.objects.shared().filter(share_token=token), artifact, name)


def _sealed_file(request: HttpRequest, rows: GenerationQuerySet, artifact: UUID, name: str) -> HttpResponseBase:
    """The result or the poster of one of `rows`, and no other file. Asked for anew each time: what was taken back a
    moment ago is not in a browser's cache."""
    if not rows.filter(Q(result=artifact) | Q(poster=artifact)).exists():
        raise Http404
    found = get_object_or_404(Artifact.objects.exclude(role=Artifact.ORIGINAL), pk=artifact)
    if name != found.public_name:
        raise Http404
    response = artifact_response(request, found)
    response["Cache-Control"] = "private, no-cache"
    return response


def own_generation(request: MembersRequest, pk: UUID) -> Generation:
    rows = Generation.objects.select_related("job", "result", "poster").filter(owner=request.user)
    return get_object_or_404(rows, pk=pk)


@require_POST
@login_required
def share(request: MembersRequest, pk: UUID) -> HttpResponse:
    return _shown(request, pk, showing.share, _("Whoever has the link can see this until it expires."))


@require_POST
@login_required
def unshare(request: MembersRequest, pk: UUID) -> HttpResponse:
    return _shown(request, pk, showing.unshare, _("The link no longer works."))


@require_POST
@login_required
def want_public(request: MembersRequest, pk: UUID) -> HttpResponse:
    return _shown(request, pk, showing.want_public, _("Thank you. It is shown to everybody once somebody has agreed."))


@require_POST
@login_required
def withdraw_public(request: MembersRequest, pk: UUID) -> HttpResponse:
    return _shown(request, pk, showing.withdraw_public, _("It is not in the public gallery."))


def _shown(request: MembersRequest, pk: UUID, change: Any, done: str) -> HttpResponse:
    found = own_generation(request, pk)
    try:
        change(found)
        messages.success(request, done)
    except showing.NotToBeShown:
        messages.error(request, _("This cannot be shown to others: there is nothing to show, or the staff said no."))
    return redirect("generation:result", pk)


def _deciding(request: HttpRequest) -> None:
    """404 for whoever may not decide, as if the desk were not there."""
    user = request.user
    if not (user.is_authenticated and user.is_staff and user.has_perm("generation.approve_generation")):
        raise Http404


@never_cache
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    _deciding(request)
    return render(request, "generation/waiting.html", pages.waiting_context(request.GET.get("page")))


@require_POST
def decide(request: MembersRequest, pk: UUID) -> HttpResponse:
    _deciding(request)
    found = get_object_or_404(Generation, pk=pk)
    agreed = request.POST.get("word") in ("approve", "demo")
    held = showing.approve(found, request.user) if agreed else showing.refuse(found, request.user)
    if held and request.POST.get("word") == "demo":
        showing.set_demo(found, True)
    if held:
        messages.success(request, _("It is in the public gallery.") if agreed else _("It is not shown."))
    elif agreed and found.owner_id == request.user.pk:
        messages.error(request, _("It takes two: of your own work somebody else of the staff decides."))
    else:
        messages.info(request, _("Its owner has taken it back meanwhile, or somebody else decided."))
    return redirect("generation:waiting")


def _picked(post: QueryDict) -> list[UUID]:
    picked = []
    for value in post.getlist("pick")[: gallery.PAGE_SIZE]:
        try:
            picked.append(UUID(value))
        except ValueError:
            continue
    return picked


def _query_of(post: QueryDict) -> str:
    """Back to the list that was looked at, with nothing of it taken on trust."""
    told = urlencode(gallery.Wanted.read(post).as_query())
    return f"?{told}" if told else ""
