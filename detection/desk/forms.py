"""What reviewers send: which part of the queue they look at, and what they judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from detection.levels import Level

from .codes import Reason, Verdict
from .reports import Report

if TYPE_CHECKING:
    from collections.abc import Sequence


class View(forms.Form):
    """The filters of the queue, all of them optional: what cannot be read is as if it were not there."""

    SHOWN = [
        ("waiting", _("Waiting")),
        ("escalated", _("With the administrators")),
        ("settled", _("Judged")),
        ("mine", _("Judged by me")),
        ("closed", _("Closed without a verdict")),
    ]
    ORDERS = [("urgent", _("Urgent first")), ("oldest", _("Oldest first")), ("newest", _("Newest first"))]

    state = forms.ChoiceField(label=_("Show"), choices=SHOWN, required=False)
    reason = forms.ChoiceField(label=_("Reason"), choices=[("", _("Every reason")), *Reason.choices], required=False)
    level = forms.ChoiceField(
        label=_("The detectors say"), choices=[("", _("Anything")), *Level.choices], required=False
    )
    media = forms.ChoiceField(
        label=_("Kind"),
        choices=[("", _("All kinds")), ("picture", _("Pictures")), ("video", _("Videos"))],
        required=False,
    )
    order = forms.ChoiceField(label=_("Order"), choices=ORDERS, required=False)

    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {"state": "waiting", "order": "urgent"} | {
            name: value for name, value in self.cleaned_data.items() if value
        }


class JudgeForm(forms.Form):
    verdict = forms.ChoiceField(choices=Verdict.choices, error_messages={"required": _("Choose a verdict.")})
    reports = forms.ChoiceField(
        label=_("What people report of the picture itself"),
        choices=[(Report.Status.UPHELD, _("It is so")), (Report.Status.DISMISSED, _("It is not so"))],
        widget=forms.RadioSelect,
        required=False,
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Read by reviewers only."),
    )

    def __init__(self, *args: Any, to_decide: Sequence[Report] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if to_decide:
            self.fields["reports"].required = True
            self.fields["reports"].error_messages["required"] = _("Say what becomes of the reports, too.")
        else:
            del self.fields["reports"]
