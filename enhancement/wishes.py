"""What somebody wants done, checked against what there is. Page, API and code all come with one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import catalogue, estimates
from .models import Enhancement
from .refusals import WrongWish

if TYPE_CHECKING:
    from .catalogue import Method


LARGEST_FRAME: Final = 3840 * 2160


@dataclass(frozen=True, slots=True)
class Wish:
    """`strength` 0 to 1, None lets the picture tell. `scale` is for enlarging; None is 2. `file_format` is a suffix, ""
    for that of the picture."""

    task: str
    methods: tuple[str, ...] = ()
    scale: int | None = None
    strength: float | None = None
    file_format: str = ""


def checked(wish: Wish) -> Wish:
    """The wish with its defaults filled in. Raises WrongWish with a sentence that says what does not fit."""
    if wish.task not in catalogue.tasks():
        raise WrongWish(_("There is no such task here."), "unsupported_task", "task")
    default = catalogue.default(wish.task)
    names = tuple(dict.fromkeys(wish.methods)) or ((default.name,) if default else ())
    if len(names) > catalogue.MOST_METHODS:
        raise WrongWish(
            _("Choose at most %(count)d methods at once.") % {"count": catalogue.MOST_METHODS}, "too_many_methods"
        )
    chosen = [_method(wish.task, name) for name in names]
    if wish.strength is not None and not 0 <= wish.strength <= 1:
        raise WrongWish(_("The strength must lie between 0 and 100 %."), "wrong_strength", "strength")
    if wish.file_format not in Enhancement.Format.values:
        raise WrongWish(_("The result can be saved as PNG, JPEG or WebP."), "unsupported_format", "file_format")
    return Wish(wish.task, names, _scale(wish, chosen), wish.strength, wish.file_format)


def _method(task: str, name: str) -> Method:
    method = catalogue.find(task, name)
    if method is None:
        known = ", ".join(each.name for each in catalogue.methods(task))
        raise WrongWish(
            _("There is no method “%(name)s” for this task; there is %(known)s.") % {"name": name[:80], "known": known},
            "unsupported_method",
        )
    return method


def _scale(wish: Wish, chosen: list[Method]) -> int | None:
    offered = catalogue.scales(wish.task)
    if not offered:
        return None  # the task keeps the size
    # An imported network has a scale of its own, which is known when it is read: not said, it decides.
    if wish.scale is None:
        return None if all(not method.scales for method in chosen) else min(offered)
    for method in chosen:
        if wish.scale not in (method.scales or offered):
            scales = ", ".join(map(str, method.scales))
            raise WrongWish(
                _("“%(method)s” enlarges by %(scales)s, not by %(scale)d.")
                % {"method": method.label, "scales": scales, "scale": wish.scale},
                "unsupported_scale",
                "scale",
            )
    return wish.scale


def checked_for_video(wish: Wish) -> Wish:
    """As `checked`; a video takes one method, of those that are fast enough for all of its frames."""
    fit = [method for method in catalogue.methods(wish.task) if method.clips]
    if wish.task in catalogue.tasks() and not fit:
        raise WrongWish(_("This cannot be done to videos; choose a picture."), "unsupported_media", "picture")
    names = wish.methods or tuple(method.name for method in fit[:1])
    wish = checked(Wish(wish.task, names, wish.scale, wish.strength))
    if len(wish.methods) > 1 or wish.methods[0] not in {method.name for method in fit}:
        known = ", ".join(f"“{method.label}”" for method in fit)
        raise WrongWish(
            _("A video takes one method at a time, and only %(known)s.") % {"known": known}, "unsupported_method"
        )
    return wish


def check_frame(wish: Wish, width: int, height: int) -> None:
    """Raises WrongWish where the frames of the result would be larger than browsers play."""
    scale = wish.scale or 1
    if width * height * scale**2 > LARGEST_FRAME:
        raise WrongWish(
            _(
                "The video would have frames of %(width)d x %(height)d px; at most 3840 x 2160 can be made. "
                "Choose a smaller scale."
            )
            % {"width": width * scale, "height": height * scale},
            "too_many_pixels",
            "scale",
        )


def check_time(wish: Wish, width: int, height: int) -> None:
    """Raises WrongWish where the work would take longer than this site gives to one job."""
    minutes, limit = estimates.seconds(wish, width, height) / 60, settings.ENHANCEMENT_MINUTES
    if minutes <= limit:
        return
    raise WrongWish(
        _(
            "This would take about %(has)d minutes here; at most %(limit)d are given to one job. Choose a smaller "
            "picture, a faster method or fewer of them."
        )
        % {"has": round(minutes), "limit": limit},
        "too_long",
    )


def check_size(wish: Wish, width: int, height: int) -> None:
    """Raises WrongWish where all results of one job together would be more than one job may make."""
    # An imported network that has not been read yet may enlarge fourfold.
    scale = wish.scale or max(catalogue.scales(wish.task), default=1)
    pixels = width * height * scale**2 * len(wish.methods)
    limit = settings.ENHANCEMENT_MEGAPIXELS
    if pixels <= limit * 1_000_000:
        return
    raise WrongWish(
        ngettext(
            "The result would have %(has)d megapixels; at most %(limit)d can be made. Choose a smaller scale.",
            "The results would have %(has)d megapixels together; at most %(limit)d can be made at once. Choose a "
            "smaller scale or fewer methods.",
            len(wish.methods),
        )
        % {"has": -(-pixels // 1_000_000), "limit": limit},
        "too_many_pixels",
        "scale" if scale > 1 else "methods",
    )
