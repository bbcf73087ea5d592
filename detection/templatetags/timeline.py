"""The score of a video over time as a drawing: lines, marks and the words that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import template

from detection.levels import Level
from detection.wording import reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detection.models import Check, Frame

register = template.Library()

WIDE: Final = 1000  # units of the drawing from the first second to the last
HIGH: Final = 1000  # and from 0 to 100 %


@register.simple_tag
def timeline_drawing(check: Check, frames: Sequence[Frame]) -> dict[str, Any]:
    """Everything that the timeline draws, as numbers in the units above."""
    rows = check.timeline
    seconds = max([check.duration or 0.0, *(row["t"] for row in rows), 0.001])
    people = [_person(person, rows, seconds, frames, check) for person in check.people]
    bands = check.bands
    return {
        "people": people,
        "frames": [_frame(frame, check) for frame in frames],
        "cuts": [_x(row["t"], seconds) for row in rows if row["scene_cut"]],
        "ticks": _ticks(seconds),
        "seconds": seconds,
        "sampled": len(rows),
        "band": {"y": HIGH * (100 - bands["high"]) // 100, "high": HIGH * (bands["high"] - bands["low"]) // 100}
        if bands
        else None,
        "table": [
            {
                "seconds": row["t"],
                "cells": [_percent(row["people"].get(str(person["index"]))) for person in check.people],
            }
            for row in rows
            if row["people"]
        ],
    }


def _person(
    person: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], seconds: float, frames: Sequence[Frame], check: Check
) -> dict[str, Any]:
    level = Level(person["level"])
    dots: list[tuple[int, int]] = []
    lines: list[list[tuple[int, int]]] = [[]]
    for row in rows:
        score = row["people"].get(str(person["index"]))
        # A line across a cut, or over frames in which nobody was judged, would draw what was not seen.
        if score is None or row["scene_cut"]:
            lines.append([])
        if score is not None:
            dots.append((_x(row["t"], seconds), _y(score)))
            lines[-1].append(dots[-1])
    return {
        "index": person["index"],
        "number": person["index"] + 1,
        "style": person["index"] % 5,
        "level": level.value,
        "level_words": level.label,
        "percent": _percent(person["probability"]),
        "interval": [_percent(edge) for edge in person["interval"] or ()],
        "reason": reason(person["reason_code"], person["reason"]),
        "frames": person["frames"],
        "usable": person["usable"],
        "over": _percent(person["share_over"]),
        "first": person["first"],
        "last": person["last"],
        "worst": [_moment(moment, frames, check) for moment in person["worst"]],
        "dots": [{"x": x, "y": y} for x, y in dots],
        "lines": [" ".join(f"{x},{y}" for x, y in line) for line in lines if len(line) > 1],
        "end": {"x": dots[-1][0] / WIDE * 100, "y": dots[-1][1] / HIGH * 100} if dots else None,
    }


def _moment(moment: Mapping[str, Any], frames: Sequence[Frame], check: Check) -> dict[str, Any]:
    nearest = min(frames, key=lambda frame: abs(frame.seconds - moment["t"]), default=None)
    return {
        "seconds": moment["t"],
        "percent": _percent(moment["probability"]),
        "level": _level(moment["probability"], check),
        "frame": None if nearest is None else nearest.index + 1,
    }


def _frame(frame: Frame, check: Check) -> dict[str, Any]:
    return {
        "number": frame.index + 1,
        "seconds": frame.seconds,
        "url": frame.picture_url,
        "percent": _percent(frame.probability),
        "level": _level(frame.probability, check),
    }


def _level(probability: float | None, check: Check) -> str:
    """Where one frame lies against the thresholds. It is no verdict: that takes all of them."""
    if probability is None or check.band_low is None or check.band_high is None:
        return Level.NOT_APPLICABLE.value
    if probability >= check.band_high:
        return Level.LIKELY_MANIPULATED.value
    return Level.LIKELY_AUTHENTIC.value if probability <= check.band_low else Level.INCONCLUSIVE.value


def _ticks(seconds: float) -> list[dict[str, Any]]:
    step = next((step for step in (0.5, 1, 2, 5, 10, 15, 30, 60) if seconds / step <= 7), 120)
    return [
        {"x": 100 * i * step / seconds, "seconds": i * step, "anchor": "start" if i == 0 else "middle"}
        for i in range(int(seconds / step) + 1)
        if i * step <= 0.97 * seconds
    ]


def _x(seconds: float, whole: float) -> int:
    return round(WIDE * seconds / whole)


def _y(probability: float) -> int:
    return round(HIGH * (1 - probability))


def _percent(share: float | None) -> int | None:
    return None if share is None else round(100 * share)
