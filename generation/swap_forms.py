"""The two steps of the swap wizard: who is painted into what, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs.errors import IntakeError

from . import services, swaps, uploads
from .refusals import Refused
from .swaps import CHOICES, OPTIONS, OWN, SHARES, Cast

if TYPE_CHECKING:
    from jobs.models import Artifact
    from jobs.requester import Requester

    from .swaps import Earlier

MEDIA = "image/jpeg,image/png,image/webp,video/mp4,video/quicktime,video/webm,video/x-matroska"


class CastForm(forms.Form):
    """A person, and the picture or clip that they are painted into. Files that were taken in stay: their numbers come
    back in `kept_target` and `kept_source`, so that a mistake in one does not cost the other."""

    person = forms.CharField(label=_("Who is painted?"), required=False)
    source = forms.FileField(
        label=_("A clip of the person, or one picture"), required=False,
        help_text=_(
            "Best a clip of five to ten seconds: the face alone and near, in even light, while the head turns slowly "
            "to all sides and the person speaks. One picture will do, and teaches less."
        ),
        widget=forms.FileInput(attrs={"accept": MEDIA}),
    )  # fmt: skip
    target = forms.FileField(
        label=_("The picture or clip"), required=False,
        help_text=_("Its face is replaced. JPEG, PNG, WebP, MP4, MOV or WebM; a clip keeps its length and sound."),
        widget=forms.FileInput(attrs={"accept": MEDIA}),
    )  # fmt: skip
    kept_source = forms.CharField(required=False, widget=forms.HiddenInput)
    kept_target = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, requester: Requester, earlier: Earlier | None, cast: Cast | None, *args: Any, **kwargs: Any
    ) -> None:
        """`cast`: what was chosen before, for whoever comes back from the second step."""
        super().__init__(*args, **kwargs)
        self._requester, self.earlier, self._cast = requester, earlier, cast
        self.people = swaps.people(requester)
        self.given_target = None if cast is None else cast.target
        self.given_source = None if cast is None else cast.source
        if self.is_bound and requester.user is not None:
            self.given_target = uploads.waiting(requester.user, self.data.get("kept_target"))
            self.given_source = uploads.waiting(requester.user, self.data.get("kept_source"))

    @property
    def target_here(self) -> Artifact | None:
        """What is used unless another is chosen."""
        return self.given_target or (None if self.earlier is None else self.earlier.target)

    @property
    def source_here(self) -> Artifact | None:
        return self.given_source or (None if self.earlier is None else self.earlier.source)

    @property
    def chosen(self) -> str:
        """The person who is marked in the page."""
        if self.is_bound:
            return str(self.data.get("person", ""))
        if self._cast is not None:
            return OWN if self._cast.person is None else self._cast.person.value
        if self.earlier is not None and self.earlier.person is not None:
            return self.earlier.person.value
        if self.earlier is not None and self.earlier.source is not None:
            return OWN
        return next((person.value for person in self.people), OWN)

    def clean_person(self) -> str:
        person: str = self.cleaned_data.get("person", "")
        if person != OWN and swaps.person_of(self._requester, person) is None:
            raise forms.ValidationError(_("Choose one of the people, or a clip of your own."))
        return person

    def clean_source(self) -> Any:
        upload = self.cleaned_data.get("source")
        if self.cleaned_data.get("person") != OWN:
            return None
        if upload:
            self.given_source = self._accepted(upload)
        elif self.given_source is None and self.earlier is not None and self.earlier.source is not None:
            self.given_source = uploads.copied(self.earlier.source, self._requester)
        if self.given_source is None:
            raise forms.ValidationError(_("Choose a clip or a picture of the person."))
        return upload

    def clean_target(self) -> Any:
        upload = self.cleaned_data.get("target")
        if upload:
            self.given_target = self._accepted(upload)
        elif self.given_target is None and self.earlier is not None and self.earlier.target is not None:
            self.given_target = uploads.copied(self.earlier.target, self._requester)
        if self.given_target is None:
            raise forms.ValidationError(_("Choose the picture or clip whose face is replaced."))
        return upload

    def _accepted(self, upload: Any) -> Artifact:
        try:
            return services.accept_file(self._requester, upload, swaps.SWAP, clips=True)
        except (IntakeError, Refused) as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def cast(self) -> Cast:
        """What the second step goes on with."""
        if self.given_target is None:
            raise ValueError("the form is not valid")
        if self.cleaned_data["person"] == OWN:
            return Cast(self.given_target, source=self.given_source)
        return Cast(self.given_target, swaps.person_of(self._requester, self.cleaned_data["person"]))


def _choice(name: str, label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(CHOICES[name].items()), initial=OPTIONS[name])


def _number(name: str, label: Any, step: str, help_text: Any) -> forms.FloatField:
    low, high = SHARES[name]
    widget = forms.NumberInput(attrs={"step": step})
    return forms.FloatField(
        label=label, min_value=low, max_value=high, initial=OPTIONS[name], help_text=help_text, widget=widget
    )


class LessonForm(forms.Form):
    """How long a person is learned for, and whether they are kept."""

    name = forms.CharField(
        label=_("What shall the person be called?"),
        required=False,
        max_length=60,
        help_text=_("By this name you find them when you make another swap. It is shown to nobody else."),
    )
    minutes = forms.FloatField(
        label=_("Minutes of learning, at most"),
        min_value=swaps.SHORTEST_MINUTES,
        max_value=swaps.LONGEST_MINUTES,
        help_text=_("The longer, the better it looks. You see it learn, and can say at any time that it is enough."),
        widget=forms.NumberInput(attrs={"step": "0.5"}),
    )
    keep = forms.BooleanField(
        label=_("Keep what was learned, for more swaps under the same consent"),
        required=False,
        initial=True,
        help_text=_("With it up to 32 small pictures of the face are kept. Withdrawing the consent deletes them too."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["minutes"].initial = swaps.default_minutes()

    @property
    def options(self) -> dict[str, Any]:
        told = self.cleaned_data
        return swaps.learning(told["minutes"], told["name"], keep=told["keep"])


class TitleForm(forms.Form):
    title = forms.CharField(
        label=_("Title (optional)"),
        required=False,
        max_length=200,
        help_text=_("By which you find it in your gallery."),
    )
    face = _choice("face", _("Which face, if there are several"))


class SettingsForm(forms.Form):
    """How the painted face is put in. The defaults are good ones."""

    colour = _choice("colour", _("Colours taken from the picture"))
    mask = _choice("mask", _("What of it is put in"))
    blend = _choice("blend", _("How it is put in"))
    erode = _number("erode", _("Drawn in by"), "0.01", _("A share of the face, 0 to 0.3: a smaller patch."))
    feather = _number("feather", _("Soft edge"), "0.01", _("A share of the face, 0 to 0.3."))
    smoothing = _number("smoothing", _("Steadied over"), "0.5", _("Frames of a clip, 0 to 10: less flicker, more lag."))
    settle = _number(
        "settle",
        _("Looked at and put right"),
        "1",
        _("Times, 0 to 3, that the painted face is moved to where eyes, lips and outline should be."),
    )
    detail = _number(
        "detail",
        _("Fine detail of the person's own"),
        "0.1",
        _("A share, 0 to 1, for people whom you have taught: of them some pictures are kept with what was learned."),
    )

    @property
    def is_changed(self) -> bool:
        """Whether something here is not as it is offered: then the page shows it."""
        return bool(self.errors) or any(self[name].value() != OPTIONS[name] for name in self.fields)
