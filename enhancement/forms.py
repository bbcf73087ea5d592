"""The form: a picture, what is to be done to it, by which methods, how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from . import catalogue, estimates
from .models import Enhancement
from .tasks import TASKS, Task, TaskWords, method_about
from .wishes import Wish

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from .catalogue import Method
    from .refusals import WrongWish

PICTURES: Final = "image/jpeg,image/png,image/webp"
ACCEPT: Final = f"{PICTURES},video/mp4,video/quicktime,video/webm,video/x-matroska,.mkv"


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """`at_once`, `per_megapixel`: about how many seconds it takes, whatever the picture's size and for its size."""

    method: Method
    about: StrOrPromise
    chosen: bool

    @property
    def at_once(self) -> float:
        return estimates.at_once(self.method, self.method.task)

    @property
    def per_megapixel(self) -> float:
        return estimates.per_megapixel(self.method, self.method.task)


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """One task with all that can be chosen for it, as the template draws it."""

    task: Task
    words: TaskWords
    chosen: bool
    methods: list[MethodChoice]
    scales: tuple[int, ...]
    scale: int | None
    steered: bool


class WishForm(forms.Form):
    """What is chosen for other tasks than the one chosen is not looked at. `again`: the picture is here already."""

    picture = forms.FileField(
        label=_("Picture"), allow_empty_file=True, error_messages={"required": _("Choose a picture first.")}
    )
    task = forms.ChoiceField(
        label=_("What shall be done?"), error_messages={"required": _("Choose what shall be done.")}
    )
    methods = forms.MultipleChoiceField(label=_("How?"), required=False)
    own_strength = forms.TypedChoiceField(
        label=_("How strongly?"),
        choices=[("", _("Automatic")), ("1", _("I set it myself"))],
        coerce=bool,
        empty_value=False,
        required=False,
    )
    strength = forms.IntegerField(label=_("Strength in per cent"), min_value=0, max_value=100, required=False)
    file_format = forms.ChoiceField(label=_("Save as"), choices=Enhancement.Format.choices, required=False)
    truth = forms.FileField(label=_("The picture as it should be"), required=False, allow_empty_file=True)

    def __init__(self, *args: Any, again: Enhancement | None = None, **kwargs: Any) -> None:
        if again is not None:
            kwargs["initial"] = _initial(again)
        super().__init__(*args, **kwargs)
        tasks = catalogue.tasks()
        self.fields["task"].choices = [(task.value, task.label) for task in tasks]
        self.fields["methods"].choices = [
            (method.key, method.label) for task in tasks for method in catalogue.methods(task)
        ]
        for task in tasks:
            offered = catalogue.scales(task)
            if offered:
                self.fields[f"scale_{task}"] = forms.TypedChoiceField(
                    label=_("How large?"),
                    choices=[(scale, f"{scale}x") for scale in offered],
                    coerce=int,
                    empty_value=None,
                    required=False,
                )
        if again is not None:
            self.fields["picture"].required = False

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        if told.get("own_strength") and told.get("strength") is None and "strength" not in self.errors:
            self.add_error("strength", _("Say how strongly, from 0 to 100 %."))
        return told

    def wish(self) -> Wish:
        told = self.cleaned_data
        task = told["task"]
        names = [key.partition("/")[2] for key in told["methods"] if key.partition("/")[0] == task]
        strength = told["strength"] / 100 if told.get("own_strength") else None
        return Wish(task, tuple(names), told.get(f"scale_{task}"), strength, told.get("file_format", ""))

    def refuse(self, error: WrongWish) -> None:
        """Show a refusal beside what it is about."""
        field = f"scale_{self.cleaned_data.get('task')}" if error.field == "scale" else error.field
        self.add_error(field if field in self.fields else None, error.message)

    def task_choices(self) -> list[TaskChoice]:
        """The tasks as the page draws them, with what was chosen in them; each with its default where nothing was."""
        chosen = self["task"].value() or Task.UPSCALE
        keys = self["methods"].value() or []
        return [_task_choice(self, task, str(chosen), keys) for task in catalogue.tasks()]

    @property
    def says_strength(self) -> bool:
        return bool(self["own_strength"].value())

    @property
    def strength_value(self) -> int | str:
        value = self["strength"].value()
        return 50 if value in (None, "") else value


def _task_choice(form: WishForm, task: Task, chosen: str, keys: list[str]) -> TaskChoice:
    methods = catalogue.methods(task)
    mine = {key for key in keys if key.partition("/")[0] == task} or {methods[0].key}
    offered = catalogue.scales(task)
    scale = form[f"scale_{task}"].value() if offered else None
    return TaskChoice(
        task=task,
        words=TASKS[task],
        chosen=task == chosen,
        methods=[MethodChoice(method, method_about(method.name), method.key in mine) for method in methods],
        scales=offered,
        scale=int(scale) if str(scale).isdecimal() else (min(offered) if offered else None),
        steered=any(method.steered for method in methods),
    )


def _initial(again: Enhancement) -> dict[str, Any]:
    """The settings that an earlier enhancement had."""
    told: dict[str, Any] = {
        "task": again.task,
        "methods": [f"{again.task}/{name}" for name in again.methods],
        "own_strength": "1" if again.strength is not None else "",
        "strength": again.strength_percent,
        "file_format": again.file_format,
    }
    if again.scale is not None:
        told[f"scale_{again.task}"] = again.scale
    return told
