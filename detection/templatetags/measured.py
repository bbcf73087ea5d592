"""The evaluation's figures, arranged for reading. What is shown comes from the file that the evaluation wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = Mapping[str, Any]

register = template.Library()
DASH = "\N{EN DASH}"
FUSED = "fused"


def rounded(value: float, places: int) -> str:
    """The number in the reader's language. Django's number_format alone cuts a float's digits off."""
    return number_format(round(value, places), places)


@register.filter
def in_hundred(share: float | None) -> str:
    """A share as a count in a hundred, with one decimal below ten, where it matters."""
    if share is None:
        return DASH
    percent = 100 * share
    return rounded(percent, 1 if 0 < percent < 9.95 else 0)


@register.filter
def figure(value: float | None) -> str:
    return DASH if value is None else rounded(value, 3)


@register.filter
def detector_title(evaluation: Row, name: str) -> str:
    return _("All together") if name == FUSED else str(evaluation["detectors"].get(name, name))


@register.filter
def truth(label: str) -> str:
    """What a picture of the evaluation really is, in the words of the page."""
    return {"real": _("real"), "swap": _("face swap"), "synthetic": _("generated")}.get(label, label)


@register.filter
def of_product(evaluation: Row) -> list[Row]:
    """What the product as a whole does, on each set where real and swapped faces can be told apart at all."""
    rows = {row["set"]: row for row in evaluation["sets"] if row["detector"] == FUSED}
    return [rows[name] for name in evaluation["paired_sets"] if name in rows]


@register.filter
def detector_sets(evaluation: Row) -> list[Row]:
    """Every detector on the sets with both classes: the product's answer first, then what stands behind it."""
    kept = [row for row in evaluation["sets"] if row["set"] in evaluation["paired_sets"]]
    return sorted(kept, key=lambda row: (row["set"], row["detector"] != FUSED))


@register.filter
def spoiled(evaluation: Row) -> dict[str, Any]:
    """How the product holds when the picture was spoiled: one line a degradation, two figures a set."""
    names = evaluation["paired_sets"]
    rows: dict[str, dict[str, Row]] = {}
    for row in evaluation["degradations"]:
        if row["detector"] == FUSED and row["set"] in names:
            rows.setdefault(row["degradation"], {})[row["set"]] = row
    lines = [
        {"name": _("as it is") if name == "none" else name, "cells": [found.get(each) for each in names]}
        for name, found in rows.items()
    ]
    return {"sets": names, "lines": lines}


@register.filter
def answers(evaluation: Row) -> list[Row]:
    """What people are told about undamaged pictures, by set and truth."""
    return [row for row in evaluation["abstentions"] if row["degradation"] == "none"]
