"""The two steps of the animation wizard: who plays, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from jobs import intake
from jobs.errors import IntakeError

from . import animations, motions, networks, uploads
from .animations import MOVEMENT, Cast
from .refusals import Refused

if TYPE_CHECKING:
    from jobs.models import Artifact
    from jobs.requester import Requester

    from .animations import Earlier

CLIP = "clip"


class CastForm(forms.Form):
    """A portrait, and what moves it. Files that were taken in stay: their numbers come back in `kept_portrait` and
    `kept_clip`, so that a mistake in one does not cost the other."""

    portrait = forms.FileField(
        label=_("Portrait"), required=False,
        help_text=_("One face, seen from the front, in good light. JPEG, PNG or WEBP."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )  # fmt: skip
    driver = forms.CharField(label=_("What moves it?"), required=False)
    clip = forms.FileField(
        label=_("Your driving clip"), required=False,
        help_text=_("One face, seen from the front; MP4, MOV or WebM. Its sound is kept."),
        widget=forms.FileInput(attrs={"accept": "video/mp4,video/quicktime,video/webm,video/x-matroska"}),
    )  # fmt: skip
    kept_portrait = forms.CharField(required=False, widget=forms.HiddenInput)
    kept_clip = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, requester: Requester, earlier: Earlier | None, cast: Cast | None, *args: Any, **kwargs: Any
    ) -> None:
        """`cast`: what was chosen before, for whoever comes back from the second step."""
        super().__init__(*args, **kwargs)
        self._requester, self.earlier, self._cast = requester, earlier, cast
        self.given_portrait = None if cast is None else cast.portrait
        self.given_clip = None if cast is None else cast.clip
        if self.is_bound and requester.user is not None:
            self.given_portrait = uploads.waiting(requester.user, self.data.get("kept_portrait"))
            self.given_clip = uploads.waiting(requester.user, self.data.get("kept_clip"))

    @property
    def portrait_here(self) -> Artifact | None:
        """The picture that is used unless another is chosen."""
        return self.given_portrait or (None if self.earlier is None else self.earlier.portrait)

    @property
    def clip_here(self) -> Artifact | None:
        return self.given_clip or (None if self.earlier is None else self.earlier.clip)

    @property
    def chosen(self) -> str:
        """The driver that is marked in the page."""
        if self.is_bound:
            return str(self.data.get("driver", ""))
        if self._cast is not None:
            return CLIP if self._cast.motion is None else self._cast.motion.identity
        if self.earlier is not None and self.earlier.motion is not None:
            return self.earlier.motion.identity
        if self.earlier is not None and self.earlier.clip is not None:
            return CLIP
        return next((motion.identity for motion in motions.motions()), CLIP)

    def clean_portrait(self) -> Any:
        upload = self.cleaned_data.get("portrait")
        if upload:
            if intake.is_video(upload):
                raise forms.ValidationError(_("The portrait must be a picture. A clip can be what moves it."))
            self.given_portrait = self._accepted(animations.accept_portrait, upload)
        elif self.given_portrait is None and self.earlier is not None and self.earlier.portrait is not None:
            self.given_portrait = uploads.copied(self.earlier.portrait, self._requester)
        if self.given_portrait is None:
            raise forms.ValidationError(_("Choose a portrait."))
        return upload

    def clean_driver(self) -> str:
        driver: str = self.cleaned_data.get("driver", "")
        if driver != CLIP and motions.find(driver) is None:
            raise forms.ValidationError(_("Choose one of the movements, or a clip of your own."))
        return driver

    def clean_clip(self) -> Any:
        upload = self.cleaned_data.get("clip")
        if self.cleaned_data.get("driver") != CLIP:
            return None
        if upload:
            if not intake.is_video(upload):
                raise forms.ValidationError(_("What moves the portrait must be a clip: MP4, MOV or WebM."))
            self.given_clip = self._accepted(animations.accept_clip, upload)
        elif self.given_clip is None and self.earlier is not None and self.earlier.clip is not None:
            self.given_clip = uploads.copied(self.earlier.clip, self._requester)
        if self.given_clip is None:
            raise forms.ValidationError(_("Choose your driving clip."))
        return upload

    def _accepted(self, accept: Any, upload: Any) -> Artifact:
        try:
            artifact: Artifact = accept(self._requester, upload)
        except (IntakeError, Refused) as error:
            raise forms.ValidationError(error.message, code=error.code) from error
        return artifact

    def cast(self) -> Cast:
        """What the second step goes on with."""
        if self.given_portrait is None:
            raise ValueError("the form is not valid")
        if self.cleaned_data["driver"] == CLIP:
            return Cast(self.given_portrait, clip=self.given_clip)
        return Cast(self.given_portrait, motion=motions.find(self.cleaned_data["driver"]))


class SettingsForm(forms.Form):
    title = forms.CharField(
        label=_("Title (optional)"),
        required=False,
        max_length=200,
        help_text=_("By which you find it in your gallery."),
    )
    motion = forms.ChoiceField(
        label=_("How it is followed"),
        widget=forms.RadioSelect,
        choices=[
            ("relative", _("Relative: the portrait moves as the driver moves, and keeps its own shape")),
            ("absolute", _("Absolute: it takes the driver's place and shape, and looks less like itself")),
        ],
        initial="relative",
    )
    movement = forms.FloatField(
        label=_("How much it moves"), min_value=MOVEMENT[0], max_value=MOVEMENT[1], initial=1.0,
        help_text=_("1 is as the driver moves. Large movements tear the picture sooner."),
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )  # fmt: skip
    framing = forms.ChoiceField(
        label=_("What is shown"),
        widget=forms.RadioSelect,
        choices=[
            ("portrait", _("The whole portrait, the moving square put back into it")),
            ("square", _("The moving square alone")),
        ],
        initial="portrait",
    )
    best_start = forms.BooleanField(
        label=_("Begin where the driver looks most like the portrait"), required=False, initial=True
    )
    restore_faces = forms.BooleanField(
        label=_("Draw the face of every frame anew, sharper"), required=False,
        help_text=_(
            "It takes about half as long again. What is drawn is a likely face, and resembles the person less."
        ),
    )  # fmt: skip

    network = forms.ChoiceField(
        label=_("Which network moves it"), required=False,
        help_text=_("The others are by other authors, imported by whoever runs this site: larger, and slower."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = networks.offered()
        if not known:
            del self.fields["network"]
            return
        self.fields["network"].choices = [
            (networks.SHIPPED, _("The one that was trained here")),
            *((name, name) for name in known),
        ]

    @property
    def options(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name, usual) for name, usual in animations.OPTIONS.items()}
