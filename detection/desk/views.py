"""The desk's pages: for staff who may judge. Each view parses, authorises and hands on."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from . import claims, consequences, evidence, judgements, queue
from .codes import Verdict
from .forms import JudgeForm
from .models import ReviewItem
from .permissions import may_judge

if TYPE_CHECKING:
    from collections.abc import Callable

SKIPPED: Final = "desk_skipped"
MOST_SKIPPED: Final = 100


def for_reviewers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Visitors are asked to sign in, as at the administration's door; members find it shut."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not may_judge(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@for_reviewers
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    return render(request, "detection/desk/queue.html", queue.context(request.GET, request.user))


@for_reviewers
@require_POST
def take_next(request: HttpRequest) -> HttpResponse:
    return _to_next(request)


@for_reviewers
@require_safe
def item(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _page(request, _item(pk))


@for_reviewers
@require_POST
def claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _item(pk)
    if not claims.claim(pk, request.user):
        messages.info(request, _("It cannot be taken up: the page says why."))
    return redirect("detection:desk_item", found.pk)


@for_reviewers
@require_POST
def release(request: HttpRequest, pk: UUID) -> HttpResponse:
    claims.release(_item(pk).pk, request.user)
    return redirect("detection:desk")


@for_reviewers
@require_POST
def skip(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Put it back for others, and go on with the next one."""
    claims.release(_item(pk).pk, request.user)
    request.session[SKIPPED] = [*request.session.get(SKIPPED, []), str(pk)][-MOST_SKIPPED:]
    return _to_next(request)


@for_reviewers
@require_POST
def renew(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The page's script gives a sign of life while somebody looks."""
    return JsonResponse({"held": claims.renew(_item(pk).pk, request.user)})


@for_reviewers
@require_POST
def judge(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = _item(pk)
    form = JudgeForm(request.POST, to_decide=consequences.reports_to_decide(found.subject))
    if not form.is_valid():
        return _page(request, found, form)
    said = form.cleaned_data
    try:
        judgements.judge(pk, request.user, Verdict(said["verdict"]), said["note"], said.get("reports", ""))
    except judgements.NotHeld:
        messages.error(request, _("Your time with it had run out, and it is not yours any more. Nothing was written."))
        return redirect("detection:desk_item", found.pk)
    except judgements.ReportsUndecided:  # one came in while the page was open
        messages.error(request, _("It was reported while you looked. Please say what becomes of that, too."))
        return redirect("detection:desk_item", found.pk)
    return _to_next(request)


@for_reviewers
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        back = judgements.undo(pk, request.user)
    except judgements.NotUndoable as reason:
        messages.error(request, str(reason))
        return redirect("detection:desk")
    messages.success(request, _("Your verdict was taken back."))
    return redirect("detection:desk_item", back.pk)


def _item(pk: UUID) -> ReviewItem:
    found: ReviewItem = get_object_or_404(
        ReviewItem.objects.select_related("subject__job", "subject__display", "subject__original", "claimed_by"), pk=pk
    )
    found.subject.review = found
    return found


def _page(request: HttpRequest, found: ReviewItem, form: JudgeForm | None = None) -> HttpResponse:
    context = evidence.context(found, request.user, form)
    return render(request, "detection/desk/item.html", context, status=400 if form else 200)


def _to_next(request: HttpRequest) -> HttpResponse:
    passed_over = [UUID(each) for each in request.session.get(SKIPPED, [])]
    taken = claims.claim_next(request.user, passed_over)
    if taken is not None:
        return redirect("detection:desk_item", taken)
    if request.session.pop(SKIPPED, None):
        messages.info(request, _("Nothing else waits for you. What you skipped comes again from now on."))
    else:
        messages.info(request, _("Nothing waits for you."))
    return redirect("detection:desk")
