"""Words for what the detectors hand over as codes: their names, the facts about a face, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from detection import wording
from jobs.sentences import told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detection.models import Check, FaceFinding

register = template.Library()

register.filter("detector_name", wording.detector_name)
register.filter("looks_for", wording.detector_looks_for)
register.filter("judgements", wording.judgements)
register.filter("trust_in", wording.trust_in)
register.filter("other_facts", wording.other_facts)


@register.filter
def reason_words(found: Check | FaceFinding) -> str:
    return wording.reason(found.reason_code, found.reason)


@register.filter
def sentences(stored: Iterable[Any]) -> list[str]:
    """Sentences that a job made, in the reader's language; a bare code with its underscores taken out."""
    return [text if " " in text else text.replace("_", " ").capitalize() for text in map(told, stored)]


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
