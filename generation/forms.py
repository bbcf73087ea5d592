"""What people send: their agreement, a consent for one file, a plea never to be swapped, a plea for removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.errors import IntakeError

from . import pleading, services, texts
from .consents import Consent
from .pleas import FacePlea, TakedownPlea

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from jobs.models import Artifact
    from jobs.requester import Requester


class TermsForm(forms.Form):
    """The version travels along, so that what is accepted is what was shown."""

    version = forms.CharField(widget=forms.HiddenInput)
    agreed = forms.BooleanField(label=_("I have read these terms and accept them."))

    def clean_version(self) -> str:
        version: str = self.cleaned_data["version"]
        if version != texts.terms().version:
            raise forms.ValidationError(_("The terms have changed meanwhile. Please read them again."))
        return version


class ConsentForm(forms.Form):
    """The consent step for one input of any generating kind. Each form of a page has its own `prefix`: the role.

    `save(requester, artifact)` records the consent and returns it; it raises generation.refusals.Refused.
    """

    relation = forms.ChoiceField(label=_("Who is shown?"), widget=forms.RadioSelect, choices=Consent.Relation.choices)
    version = forms.CharField(widget=forms.HiddenInput)
    people = forms.IntegerField(
        label=_("How many people does it show?"), min_value=1, max_value=20, initial=1,
        help_text=_("Your statement must be true of each of them. More faces than this are refused."),
    )  # fmt: skip
    agreed = forms.BooleanField(label=_("What stands under my choice is true, and I state it."))
    evidence = forms.FileField(
        label=_("Written consent (optional)"),
        required=False,
        help_text=_("PDF, JPEG or PNG, at most 5 MB. Seen by the people who run this site only."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = texts.consent(Consent.Relation.MYSELF).version

    @property
    def statements(self) -> list[tuple[str, str, texts.Text]]:
        """(value, label, text) of each choice, as the template shows them."""
        return [(value, str(label), texts.consent(value)) for value, label in Consent.Relation.choices]

    def clean_evidence(self) -> UploadedFile[bytes] | None:
        upload = self.cleaned_data.get("evidence")
        if upload is None:
            return None
        try:
            return services.checked_evidence(upload)
        except IntakeError as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def save(self, requester: Requester, artifact: Artifact) -> Consent:
        told = self.cleaned_data
        return services.state_consent(
            requester,
            told["relation"],
            version=told["version"],
            artifact=artifact,
            people=told["people"],
            evidence=told.get("evidence"),
        )


class AffirmationForm(forms.Form):
    """No classifier looks: the person affirms. Part of every submission."""

    affirmed = forms.BooleanField(
        label=_("Nobody shown is under eighteen, and nothing sexual is made."),
        help_text=_("No program has looked at this: there is none installed here that could tell."),
    )


class NeverMeForm(forms.ModelForm):
    portrait = forms.FileField(
        label=_("A picture of your face"),
        help_text=_("JPEG, PNG or WEBP: your face from the front, alone. It is deleted once the request is decided."),
    )  # fmt: skip

    class Meta:
        model = FacePlea
        fields = ["contact", "portrait", "statement"]
        labels = {"statement": _("How can we know that this is you?")}
        widgets = {"statement": forms.Textarea(attrs={"rows": 3, "maxlength": 4000})}

    def clean_portrait(self) -> bytes:
        try:
            return pleading.checked_portrait(self.cleaned_data["portrait"])
        except IntakeError as error:
            raise forms.ValidationError(error.message, code=error.code) from error


class TakedownForm(forms.ModelForm):
    copy = forms.FileField(
        label=_("The file itself (optional)"),
        required=False,
        help_text=_("It is compared with what was made here, and not kept."),
    )

    class Meta:
        model = TakedownPlea
        fields = ["contact", "address", "statement"]
        labels = {"statement": _("What does it show, and why should it go?")}
        widgets = {"statement": forms.Textarea(attrs={"rows": 4, "maxlength": 4000})}

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if not told.get("address") and not told.get("copy"):
            raise forms.ValidationError(_("Say where it was seen, or send the file itself."))
        return told
