"""Words for what the detectors hand over as codes: their names, the facts about a face, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .measured import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detection.models import Check, FaceFinding

register = template.Library()

DETECTORS = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4"}
TURNS = {
    "frontal": gettext_lazy("seen from the front"),
    "three-quarter": gettext_lazy("turned three quarters"),
    "profile": gettext_lazy("in profile"),
}


@register.filter
def detector_name(code: str) -> str:
    return DETECTORS.get(code, code)


@register.filter
def facts(face: FaceFinding) -> list[tuple[str, str]]:
    """What is known about the evidence of one face, as pairs of words and value. Keys that this page has no words for
    are shown as they come: a fact is not left out because the page is older than the detectors."""
    quality = dict(face.quality)
    rows: list[tuple[str, str]] = []
    if (size := quality.pop("face_px", None)) is not None:
        rows.append((_("Face"), _("%(count)s px") % {"count": number_format(round(size))}))
    if (sharpness := quality.pop("sharpness", None)) is not None:
        rows.append((_("Sharpness"), rounded(sharpness, 3)))
    if (saved := quality.pop("jpeg_quality", None)) is not None:
        rows.append((_("Saved at JPEG quality"), _("about %(value)s") % {"value": number_format(saved)}))
    yaw = quality.pop("yaw", face.yaw)
    turn = TURNS.get(str(quality.pop("turn", "")))
    angle = _("%(degrees)s°") % {"degrees": number_format(abs(round(yaw)))}
    rows.append((_("Head"), f"{turn}, {angle}" if turn else angle))
    rows += [
        (key.replace("_", " ").capitalize(), number_format(value) if isinstance(value, int | float) else str(value))
        for key, value in quality.items()
    ]
    return rows


@register.filter
def sentences(codes: Iterable[str]) -> list[str]:
    """Whole sentences as they are; a bare code with its underscores taken out."""
    return [text if " " in text else text.replace("_", " ").capitalize() for text in codes]


@register.inclusion_tag("detection/partials/scale.html")
def probability_scale(check: Check, bands: dict[str, int] | None) -> dict[str, Any]:
    """The probability on a line from 0 to 100, with what the drawing needs worked out from the check's own numbers."""
    drawn: dict[str, Any] = {
        "check": check,
        "bands": bands,
        "ticks": [{"x": x, "major": x % 50 == 0} for x in range(0, 101, 5)],
        # The number stands over its needle, but never beyond the ends of the line.
        "anchor": "middle"
        if check.percent is None or 6 <= check.percent <= 94
        else "start"
        if check.percent < 6
        else "end",
    }
    if bands:
        drawn["band_width"] = bands["high"] - bands["low"]
        drawn["high_width"] = 100 - bands["high"]
        drawn["band_middle"] = (bands["low"] + bands["high"]) // 2
    return drawn
