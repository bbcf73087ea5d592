"""How a person was learned, as pages draw it: the loss over the steps; and the settings of a swap in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.translation import gettext as _

from generation.swaps import CHOICES, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

register = template.Library()

WIDTH: Final = 320.0
HEIGHT: Final = 140.0
LEFT, RIGHT, TOP, BOTTOM = 36.0, 8.0, 10.0, 24.0


@register.inclusion_tag("generation/partials/loss_curve.html")
def loss_curve(history: Any) -> dict[str, Any]:
    """An SVG of [step, loss, validation loss] lines; empty before the second of them."""
    rows = _rows(history)
    if len(rows) < 2:
        return {"points": ""}
    last = rows[-1][0]
    values = [value for row in rows for value in row[1:]]
    low, high = _nice(min(values), max(values))
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "points": _line([(row[0], row[1]) for row in rows], last, low, high),
        "validation": _line([(row[0], row[2]) for row in rows], last, low, high),
        "low": f"{low:.2g}",
        "high": f"{high:.2g}",
        "last": last,
        "first_loss": round(rows[0][1], 2),
        "last_loss": round(rows[-1][1], 2),
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
    }


def _rows(history: Any) -> list[tuple[int, float, float]]:
    try:
        rows = [(int(step), float(loss), float(val)) for step, loss, val in history or ()]
    except (TypeError, ValueError):
        return []
    return [row for row in rows if math.isfinite(row[1]) and math.isfinite(row[2])]


def _nice(low: float, high: float) -> tuple[float, float]:
    """A little room above and below; never a line of no height."""
    room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return max(0.0, low - room), high + room


def _line(points: Sequence[tuple[int, float]], last: int, low: float, high: float) -> str:
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return " ".join(
        f"{LEFT + across * step / max(1, last):.1f},{TOP + down * (high - value) / (high - low):.1f}"
        for step, value in points
    )


@register.filter
def swap_settings(options: Any) -> list[tuple[str, str]]:
    """Each setting of a swap and its value, in words."""
    told = {**OPTIONS, **(options if isinstance(options, dict) else {})}
    names = {
        "face": _("Which face"),
        "colour": _("Colours"),
        "mask": _("What is put in"),
        "blend": _("How"),
        "erode": _("Drawn in by"),
        "feather": _("Soft edge"),
        "smoothing": _("Steadied over"),
        "settle": _("Looked at and put right"),
        "detail": _("Fine detail of the person's own"),
    }
    return [(words, str(CHOICES.get(name, {}).get(str(told[name]), told[name]))) for name, words in names.items()]
