"""The page where members make and revoke the tokens of their programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from .forms import TokenForm
from .models import ApiToken

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    class MembersRequest(HttpRequest):
        """What login_required lets through."""

        user: User


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: MembersRequest) -> HttpResponse:
    """The secret of a new token is in the answer to the form and nowhere else, so a reload cannot show it again."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    new_token = ""
    if form.is_valid():
        _token, new_token = ApiToken.issue(request.user, form.cleaned_data["name"])
        form = TokenForm()
    held = ApiToken.objects.filter(owner=request.user)
    status = 400 if form.errors else 200
    return render(request, "account/tokens.html", {"tokens": held, "form": form, "new_token": new_token}, status=status)


@require_POST
@login_required
def revoke(request: MembersRequest, pk: int) -> HttpResponse:
    get_object_or_404(ApiToken, owner=request.user, pk=pk).revoke()
    messages.success(request, _("The token no longer works."))
    return redirect("detection:tokens")
