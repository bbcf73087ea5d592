"""The desk's figures as drawings: places in percent of the width and in pixels of the height, ready for SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detection.desk.figures import Week

register = template.Library()

TOP: Final = 14
BOTTOM: Final = 180
HEIGHT: Final = BOTTOM - TOP


@register.simple_tag
def weekly_bars(weeks: Sequence[Week], most: int) -> dict[str, Any]:
    """Two bars a week, flagged and judged; the highest value stands at the top line."""
    slot = 100 / max(1, len(weeks))
    bars = []
    for number, week in enumerate(weeks):
        left = number * slot
        for kind, value, shift in (("flagged", week.flagged, 0.1), ("judged", week.judged, 0.5)):
            height = HEIGHT * value / most if most else 0
            x, width, y = round(left + shift * slot, 2), round(0.38 * slot, 2), round(BOTTOM - height, 1)
            bars.append({"kind": kind, "x": x, "width": width, "y": y, "height": round(height, 1), "value": value})
    return {"bars": bars, "labels": _labels(weeks, slot), "bottom": BOTTOM, "top": TOP}


@register.simple_tag
def weekly_agreement(weeks: Sequence[Week]) -> dict[str, Any]:
    """A point for each week in which people and machine both decided; the line breaks where there was none."""
    slot = 100 / max(1, len(weeks))
    lines: list[list[str]] = [[]]
    dots = []
    for number, week in enumerate(weeks):
        percent = week.agreement.percent
        if percent is None:
            lines.append([])
            continue
        x, share = round((number + 0.5) * slot, 2), percent / 100
        lines[-1].append(f"{x * 10:.1f},{1000 * (1 - share):.1f}")
        dots.append({"x": x, "y": round(BOTTOM - HEIGHT * share, 1), "percent": percent, "of": week.agreement.of})
    paths = [" ".join(line) for line in lines if len(line) > 1]
    drawn = {"paths": paths, "dots": dots, "labels": _labels(weeks, slot), "bottom": BOTTOM, "top": TOP}
    return {**drawn, "height": HEIGHT, "half": TOP + HEIGHT // 2}


@register.filter
def share_of(value: int, whole: int) -> float:
    """In percent, for a bar."""
    return round(100 * value / whole, 2) if whole else 0.0


def _labels(weeks: Sequence[Week], slot: float) -> list[dict[str, Any]]:
    """The first, the middle and the last week: on a telephone there is no room for more."""
    chosen = sorted({0, len(weeks) // 2, len(weeks) - 1}) if weeks else []
    anchors = dict(zip(chosen, ("start", "middle", "end"), strict=False))
    places = {"start": 0.0, "middle": 0.5, "end": 1.0}
    return [
        {"x": round((n + places[anchors[n]]) * slot, 2), "date": weeks[n].start, "anchor": anchors[n]} for n in chosen
    ]
