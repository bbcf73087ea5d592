"""The numbers of a result as a table: one row a measure, one cell for the picture that was sent and one a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django_stubs_ext import StrOrPromise

    from .models import EnhancedPicture, Enhancement


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` is empty where there is no such number. `level` is a detector's code, for its shape and colour."""

    text: str = ""
    level: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    name: StrOrPromise
    about: StrOrPromise
    before: Cell
    after: list[Cell]


THE_SAME: Final = 100.0
NONE: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
LEVELS: Final[dict[str, StrOrPromise]] = {
    "likely_manipulated": gettext_lazy("Likely manipulated"),
    "inconclusive": gettext_lazy("Inconclusive"),
    "likely_authentic": gettext_lazy("Likely authentic"),
    "not_applicable": gettext_lazy("Could not be judged"),
    "": gettext_lazy("Not scored"),
}


def rows(enhancement: Enhancement, pictures: Sequence[EnhancedPicture]) -> list[Row]:
    """The table; a measure that nothing has is left out."""
    if not enhancement.figures or not pictures:
        return []
    told = [
        Row(
            gettext_lazy("Size"),
            "",
            Cell(_size(enhancement.width, enhancement.height)),
            [Cell(_size(picture.width, picture.height)) for picture in pictures],
        ),
        _row(enhancement, pictures, gettext_lazy("Detectors"), _DETECTORS, _detector),
        _row(enhancement, pictures, gettext_lazy("Sharpness"), _SHARPNESS, _measure("sharpness", 1)),
        _row(enhancement, pictures, gettext_lazy("Noise"), _NOISE, _measure("noise", 1)),
        _row(enhancement, pictures, "PSNR", _PSNR, _measure("psnr", 2, " dB")),
        _row(enhancement, pictures, "SSIM", _SSIM, _measure("ssim", 4)),
        _row(enhancement, pictures, gettext_lazy("Looks apart"), _PERCEPTUAL, _measure("perceptual", 3)),
        Row(
            gettext_lazy("Time"),
            "",
            Cell(),
            [Cell(_("%(seconds)s s") % {"seconds": number_format(picture.seconds, 2)}) for picture in pictures],
        ),
    ]
    return [row for row in told if row.before.text or any(cell.text for cell in row.after)]


_DETECTORS = gettext_lazy(
    "The probability of manipulation that a check gives. An enhanced photograph is not a manipulated face: where it "
    "rises, the detectors err, and where it falls, a picture that was manipulated before still is."
)
_SHARPNESS = gettext_lazy("How much neighbouring pixels differ, in grey levels. Noise raises it, too.")
_NOISE = gettext_lazy("Estimated from the finest detail, as a sigma of 255. Fine texture counts as noise.")
_PSNR = gettext_lazy("How near to the true picture, in decibels of brightness. More is nearer.")
_PERCEPTUAL = gettext_lazy("How different it looks from the true picture to a network; 0 is the same.")
_SSIM = gettext_lazy("How alike in structure to the true picture, up to 1.")


def _row(
    enhancement: Enhancement,
    pictures: Sequence[EnhancedPicture],
    name: StrOrPromise,
    about: StrOrPromise,
    cell: Callable[[dict[str, Any]], Cell],
) -> Row:
    return Row(name, about, cell(enhancement.figures), [cell(picture.figures) for picture in pictures])


def _measure(name: str, digits: int, unit: str = "") -> Callable[[dict[str, Any]], Cell]:
    def cell(figures: dict[str, Any]) -> Cell:
        value = figures.get("measures", {}).get(name)
        if value is None:
            return Cell()
        if name == "psnr" and value >= THE_SAME:
            return Cell("\N{INFINITY}", words=_("The same picture"))
        return Cell(f"{number_format(value, digits)}{unit}")

    return cell


def _detector(figures: dict[str, Any]) -> Cell:
    told = figures.get("detector") or {}
    level, probability = str(told.get("level", "")), told.get("probability")
    words = str(LEVELS.get(level, LEVELS[""]))
    if told.get("reason_code") == "no_face":
        words = _("No face found")
    return Cell(NONE if probability is None else f"{round(100 * probability)} %", level, words)


def _size(width: int | None, height: int | None) -> str:
    return "" if width is None or height is None else f"{width} {TIMES} {height}"
