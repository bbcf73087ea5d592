"""What a member may write about themselves, and the password that deleting the account asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.http import HttpRequest


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name",)
        labels = {"first_name": _("Name")}
        help_texts = {"first_name": _("Optional. Only you and the people who run this site see it.")}
        widgets = {"first_name": forms.TextInput(attrs={"autocomplete": "name"})}


class LeaveForm(forms.Form):
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        from allauth.core import ratelimit

        password: str = self.cleaned_data["password"]
        # The same limit as for being asked for the password anywhere else.
        if not ratelimit.consume(self.request, action="reauthenticate", user=self.request.user):
            raise forms.ValidationError(_("Too many attempts. Please wait a few minutes."))
        if not self.request.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password
