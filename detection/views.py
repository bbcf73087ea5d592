"""The pages about checks. Each view parses, authorises and hands on; what belongs to somebody else is not found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.errors import QuotaExceeded
from jobs.refusal import Refusal
from jobs.requester import requester_of
from jobs.views import artifact_response

from . import answers, pages, pictures, services
from .forms import CheckForm, ReportForm
from .models import Check
from .report.answer import answer as report_answer
from .submission import submit_all

if TYPE_CHECKING:
    from uuid import UUID

    from django.http.response import HttpResponseBase

    from jobs.requester import Requester

    from .report.answer import Form


def own_check(request: HttpRequest, pk: UUID) -> tuple[Check, Requester]:
    requester = requester_of(request, create=False)
    return get_object_or_404(Check.objects.for_page().owned_by(requester), pk=pk), requester


def visible_check(request: HttpRequest, pk: UUID) -> tuple[Check, Requester]:
    requester = requester_of(request, create=False)
    return get_object_or_404(Check.objects.for_page().visible_to(requester), pk=pk), requester


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "detection/check.html", pages.check_context(requester_of(request, create=False)))
    form = CheckForm(request.POST, request.FILES)
    if not form.is_valid():
        return answers.to_invalid_form(request, form)
    requester = requester_of(request)
    said = form.cleaned_data
    outcome = submit_all(requester, said["files"], improve=said["improve"])
    return answers.to_submission(request, requester, outcome)


@never_cache
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    requester = requester_of(request, create=False)
    return render(request, "detection/history.html", pages.history_context(requester, request.GET.get("page")))


@never_cache
@require_safe
def result(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, requester = visible_check(request, pk)
    return render(request, "detection/result.html", pages.result_context(request, found, requester))


@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, _requester = own_check(request, pk)
    services.delete_check(found)
    messages.success(request, _("The check and its pictures were deleted."))
    return redirect("detection:history")


@require_POST
def retry(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, requester = own_check(request, pk)
    try:
        services.retry_check(found, requester)
    except services.NotRetryable:
        messages.info(request, _("This check has no other attempt to make."))
    except QuotaExceeded as error:
        return answers.to_full_queue(request, found, requester, Refusal.of(error))
    return redirect(found)


@require_POST
def share(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, _requester = own_check(request, pk)
    services.share_check(found)
    messages.success(request, _("Whoever has the link can see this check until it expires."))
    return redirect(found)


@require_POST
def unshare(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, _requester = own_check(request, pk)
    services.unshare_check(found)
    messages.success(request, _("The link no longer works."))
    return redirect(found)


@require_POST
def training(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, _requester = own_check(request, pk)
    services.allow_training(found, request.POST.get("allowed") == "yes")
    if found.training_consent:
        messages.success(request, _("Thank you. Cut-outs of its faces may be used to improve the detectors."))
    else:
        messages.success(request, _("It is not used any more: it will be in no later collection."))
    return redirect(found)


@require_POST
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    found, requester = visible_check(request, pk)
    form = ReportForm(request.POST)
    if not form.is_valid():
        context = pages.result_context(request, found, requester, form)
        return render(request, "detection/result.html", context, status=400)
    services.report_check(found, requester, **form.cleaned_data)
    messages.success(request, _("Thank you. A person will look at it; the picture is kept until then."))
    return redirect(found)


@never_cache
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    found = get_object_or_404(Check.objects.for_page().shared(), share_token=token)
    return render(request, "detection/shared.html", pages.shared_context(found, token))


@require_safe
def report_file(request: HttpRequest, pk: UUID, form: Form) -> HttpResponse:
    found, _requester = visible_check(request, pk)
    if not found.level:
        raise Http404
    return report_answer(request, found, form, pictures.for_owner, private=True)


@require_safe
def shared_report(request: HttpRequest, token: str, form: Form) -> HttpResponse:
    found = get_object_or_404(Check.objects.for_page().shared(), share_token=token)
    return report_answer(request, found, form, pictures.for_link(token), private=False)


@require_safe
def shared_file(request: HttpRequest, token: str, artifact: UUID, name: str) -> HttpResponseBase:
    found = get_object_or_404(Check.objects.shared(), share_token=token)
    shown = pictures.shown_of(found, artifact)
    if shown is None or shown.public_name != name:
        raise Http404
    return artifact_response(request, shown)


@require_safe
def method(request: HttpRequest) -> HttpResponse:
    return render(request, "detection/method.html", pages.method_context())
