"""What people send: pictures and videos, a reason to look again, the name of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .models import Report

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

PICTURES = "image/jpeg,image/png,image/webp"
VIDEOS = "video/mp4,video/quicktime,video/webm,video/x-matroska,.mkv"
ACCEPT = f"{PICTURES},{VIDEOS}"


class SeveralFilesInput(forms.FileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """One field, several files. What is inside them is for jobs.intake to judge, one file at a time."""

    widget = SeveralFilesInput(attrs={"accept": ACCEPT, "multiple": True})

    def __init__(self, *, max_files: int, **kwargs: Any) -> None:
        self.max_files = max_files
        # An empty file is refused by intake, which says so in the same words as the API.
        super().__init__(allow_empty_file=True, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = list(data) if isinstance(data, (list, tuple)) else [data]
        if len(files) > self.max_files:
            raise forms.ValidationError(
                ngettext(
                    "Please choose one file at a time.",
                    "Please choose at most %(count)d files at a time.",
                    self.max_files,
                )
                % {"count": self.max_files},
                code="too_many_files",
            )
        if not files:
            return [super().clean(None, initial)]
        return [super(SeveralFilesField, self).clean(file, initial) for file in files]


class CheckForm(forms.Form):
    files = SeveralFilesField(
        label=_("Pictures or videos"),
        max_files=settings.DETECTION_FILES_AT_ONCE,
        max_length=None,
        error_messages={"required": _("Choose a picture or video first.")},
    )
    improve = forms.BooleanField(required=False)  # cut-outs of the faces may train the detectors


class ReportForm(forms.ModelForm):
    class Meta:
        model = Report
        fields = ["reason", "comment"]
        widgets = {"comment": forms.Textarea(attrs={"rows": 3, "maxlength": 2000})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [("", _("Choose a reason")), *Report.Reason.choices]


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What will use it, so that you know which one to revoke.")
    )
