"""What can be done to a picture, in words: for the form, the lists and the API's documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Task(models.TextChoices):
    UPSCALE = "upscale", _("Enlarge")
    FACE = "face", _("Restore faces")
    DENOISE = "denoise", _("Take out noise")
    DEBLUR = "deblur", _("Sharpen")
    JPEG = "jpeg", _("Clean up JPEG")


@dataclass(frozen=True, slots=True)
class TaskWords:
    """What a task does, and what its strength means at both ends."""

    about: StrOrPromise
    strength: StrOrPromise
    alone: StrOrPromise  # what happens where no strength is chosen


TASKS: Final[dict[str, TaskWords]] = {
    Task.UPSCALE: TaskWords(
        _("Makes a small picture two to four times as large, with the edges that enlarging alone would blur."),
        _("How much of a network's answer is taken, at 0 % plain interpolation; of ESRGAN, how much it may invent."),
        _("All of the network's answer is taken."),
    ),
    Task.FACE: TaskWords(
        _("Finds every face and draws it anew, sharp. What is drawn is a likely face, not that of the person."),
        _("How much of the drawn face is taken; at 0 % the picture stays as it is."),
        _("All of it is taken."),
    ),
    Task.DENOISE: TaskWords(
        _("Takes out the grain of dark photographs and high ISO, and keeps the edges."),
        _("How strong the noise is; more smooths fine texture away too."),
        _("The noise is measured in the picture."),
    ),
    Task.DEBLUR: TaskWords(
        _("Sharpens a picture that is a little out of focus. It does nothing for one that is shaken."),
        _("How wide the blur is; more than there is makes bright rims along the edges."),
        _("A middle value is taken."),
    ),
    Task.JPEG: TaskWords(
        _("Takes out the blocks and the fringes that strong JPEG compression leaves."),
        _("How strongly it was compressed; more than that smooths texture away."),
        _("It is read from the file's own tables; a middle value is taken where they are gone."),
    ),
}

METHODS: Final[dict[str, StrOrPromise]] = {
    "compact": _("A small network that was trained here to come near to the true picture. It is fast."),
    "bicubic": _("What every image program does: no network, nothing learned. To compare with."),
    "lanczos": _("A sharper way to interpolate, with faint rims along hard edges. To compare with."),
    "restorer": _("A small network that was trained here on pictures spoiled on purpose."),
    "nlmeans": _("Averages patches that look alike. No network, nothing learned. To compare with."),
    "unsharp": _("Adds what a blur takes away. No network, nothing learned. To compare with."),
    "esrgan": _("A network that was trained to please the eye. It invents texture that was never there."),
    "dictionary": _(
        "A network with a dictionary of eyes, noses and mouths. It invents what the picture does not hold."
    ),
}


def method_about(name: str) -> StrOrPromise:
    """A sentence about a method; of those that have none yet, an empty one."""
    if name.startswith("imported:"):
        return _("A network by other authors that whoever runs this site has put there. It may invent detail.")
    return METHODS.get(name, "")
