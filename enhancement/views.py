"""The pages of enhancement. Each view parses, authorises and hands on; what belongs to somebody else is not found."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs import bundle as jobs_bundle
from jobs.errors import PersonError, QuotaExceeded
from jobs.refusal import Refusal
from jobs.requester import requester_of

from . import bundle, gallery, pages, services
from .forms import WishForm
from .models import Enhancement
from .refusals import WrongWish

if TYPE_CHECKING:
    from typing import Any

    from django.contrib.auth.models import User
    from django.http import QueryDict

    from .models import EnhancementQuerySet

    class MembersRequest(HttpRequest):
        """What login_required lets through."""

        user: User


def own_enhancement(request: HttpRequest, pk: UUID) -> Enhancement:
    rows = Enhancement.objects.for_page().owned_by(requester_of(request, create=False))
    return get_object_or_404(rows, pk=pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "enhancement/home.html", pages.home_context(request.user))
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    form = WishForm(request.POST, request.FILES)
    made, refusal = _submitted(request, form, None)
    if made is not None:
        return _accepted(request, made)
    return _refused(request, form, refusal, "enhancement/home.html", pages.home_context(request.user, form, refusal))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: MembersRequest, pk: UUID) -> HttpResponse:
    found = own_enhancement(request, pk)
    if not services.can_go_again(found):
        raise Http404
    if request.method != "POST":
        return render(request, "enhancement/again.html", pages.again_context(found))
    form = WishForm(request.POST, request.FILES, again=found)
    made, refusal = _submitted(request, form, found)
    if made is not None:
        return _accepted(request, made)
    return _refused(request, form, refusal, "enhancement/again.html", pages.again_context(found, form, refusal))


def _submitted(
    request: HttpRequest, form: WishForm, earlier: Enhancement | None
) -> tuple[Enhancement | None, Refusal | None]:
    """What was queued; or None, and then the form says why, or the refusal does."""
    if not form.is_valid():
        return None, None
    requester, truth = requester_of(request), form.cleaned_data["truth"]
    try:
        if earlier is not None:
            return services.enhance_again(earlier, requester, form.wish(), truth), None
        return services.submit_enhancement(requester, form.cleaned_data["picture"], form.wish(), truth), None
    except WrongWish as error:
        form.refuse(error)
        return None, Refusal.of(error)
    except (PersonError, QuotaExceeded) as error:
        refusal = Refusal.of(error)
        form.add_error(None if refusal.retry_after is not None else "picture", refusal.message)
        return None, refusal


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _accepted(request: HttpRequest, made: Enhancement) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"id": str(made.pk), "url": made.get_absolute_url()}, status=202)
    return redirect(made)


def _refused(
    request: HttpRequest, form: WishForm, refusal: Refusal | None, template: str, context: dict[str, Any]
) -> HttpResponse:
    status, headers = (refusal.status, refusal.headers) if refusal else (400, {})
    if _wants_json(request):
        errors = [
            {"field": field, "message": str(message)} for field, lines in form.errors.items() for message in lines
        ]
        return JsonResponse({"errors": errors}, status=status, headers=headers)
    response = render(request, template, context, status=status)
    for name, value in headers.items():
        response[name] = value
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    address = f"{reverse('account_login')}?{urlencode({'next': request.path})}"
    if _wants_json(request):
        message = _("You are signed out. Sign in again to go on.")
        return JsonResponse({"errors": [{"field": "", "message": message}], "sign_in": address}, status=401)
    return redirect(address)


@never_cache
@login_required
@require_safe
def result(request: MembersRequest, pk: UUID) -> HttpResponse:
    found = own_enhancement(request, pk)
    return render(request, "enhancement/result.html", pages.result_context(found, request.GET.get("show")))


@require_POST
@login_required
def delete(request: MembersRequest, pk: UUID) -> HttpResponse:
    services.delete_enhancement(own_enhancement(request, pk))
    messages.success(request, _("The picture and all that was made of it were deleted."))
    return redirect("enhancement:history")


@never_cache
@login_required
@require_safe
def history(request: MembersRequest) -> HttpResponse:
    return render(request, "enhancement/history.html", pages.history_context(request.user, request.GET))


@require_POST
@login_required
def delete_many(request: MembersRequest) -> HttpResponse:
    picked = _picked(request.POST)
    count = services.delete_all(Enhancement.objects.filter(owner=request.user, pk__in=picked)[: gallery.PAGE_SIZE])
    if count:
        told = ngettext(
            "%(count)d enhancement was deleted, with its picture.",
            "%(count)d enhancements were deleted, with their pictures.",
            count,
        )
        messages.success(request, told % {"count": count})
    else:
        messages.info(request, _("Nothing was chosen, so nothing was deleted."))
    told = urlencode(gallery.Wanted.read(request.POST).as_query())
    return redirect(f"{reverse('enhancement:history')}{f'?{told}' if told else ''}")


@never_cache
@login_required
@require_safe
def download_all(request: MembersRequest) -> StreamingHttpResponse:
    rows = gallery.finished(gallery.own(request.user, gallery.Wanted.read(request.GET)))
    return _as_zip(request, rows, f"enhancements-{timezone.localdate().isoformat()}")


@never_cache
@login_required
@require_safe
def download(request: MembersRequest, pk: UUID) -> StreamingHttpResponse:
    found = own_enhancement(request, pk)
    rows = gallery.finished(Enhancement.objects.filter(pk=found.pk))
    if not rows.exists():
        raise Http404
    return _as_zip(request, rows, f"enhancement-{found.pk.hex[:12]}")


def _as_zip(request: HttpRequest, rows: EnhancementQuerySet, name: str) -> StreamingHttpResponse:
    pieces = jobs_bundle.written_async if isinstance(request, ASGIRequest) else jobs_bundle.written
    response = StreamingHttpResponse(pieces(bundle.entries(rows)), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _picked(post: QueryDict) -> list[UUID]:
    picked = []
    for value in post.getlist("pick")[: gallery.PAGE_SIZE]:
        try:
            picked.append(UUID(value))
        except ValueError:
            continue
    return picked
