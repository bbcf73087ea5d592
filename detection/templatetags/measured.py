"""The evaluation's figures, arranged for reading. What is shown comes from the file that the evaluation wrote; what an
older or newer evaluation does not have is not shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from detection import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = Mapping[str, Any]

register = template.Library()
DASH: Final = "\N{EN DASH}"
FUSED: Final = "fused"
AS_IT_IS: Final = "none"
LABELS: Final = ("real", "swap", "synthetic")
UNCLEAR: Final = ("inconclusive", "not_applicable")


def rounded(value: float, places: int) -> str:
    """The number in the reader's language. Django's number_format alone cuts a float's digits off."""
    return number_format(round(value, places), places)


@register.filter
def in_hundred(share: float | str | None) -> str:
    """A share as a count in a hundred, with one decimal below ten, where it matters."""
    if not isinstance(share, int | float):  # None, or the empty word that a template has for what is missing
        return DASH
    percent = 100 * share
    return rounded(percent, 1 if 0 < percent < 9.95 else 0)


@register.filter
def figure(value: float | str | None) -> str:
    return rounded(value, 3) if isinstance(value, int | float) else DASH


@register.filter
def detector_title(evaluation: Row, name: str) -> str:
    if name == FUSED:
        return _("All together")
    if name in wording.DETECTORS:
        return wording.detector_name(name)
    return str(evaluation.get("detectors", {}).get(name, name))


@register.filter
def truth(label: str) -> str:
    """What a picture of the evaluation really is, in the words of the page."""
    return {"real": _("real"), "swap": _("face swap"), "synthetic": _("generated")}.get(label, label)


@register.filter
def set_words(name: str) -> str:
    """What kind of pictures a set of the evaluation holds; nothing for one that this page does not know."""
    return {
        "openforensics": _("Photographs, and photographs into which a generator blended faces"),
        "mesonet_filmtv": _("Films and television, and early autoencoder swaps of few scenes: the hard one"),
        "youtube_faces": _("Frames of videos, all real"),
        "portraits_sd3": _("Portraits made whole by a diffusion model"),
    }.get(name, "")


@register.filter
def degradation_words(name: str) -> str:
    """What was done to the pictures of a row, for people: "jpeg 30" is how the evaluation calls it."""
    if name == AS_IT_IS:
        return _("as it is")
    found = re.fullmatch(r"(jpeg|down|blur|noise) ([\d.]+)x?", name)
    if found is None:
        return name
    words = {
        "jpeg": _("saved at JPEG quality %(much)s"),
        "down": _("made %(much)s times smaller"),
        "blur": _("blurred, sigma %(much)s px"),
        "noise": _("with noise of %(much)s grey levels"),
    }
    return words[found[1]] % {"much": found[2]}


@register.filter
def in_short(evaluation: Row) -> list[Row]:
    """What a hundred people with undamaged pictures would have been told, for each truth: pictures of all sets, each
    counted once."""
    found = []
    for label in LABELS:
        rows = [row for row in _told(evaluation, AS_IT_IS) if row["label"] == label]
        if pictures := sum(row["pictures"] for row in rows):
            of = {level: _share(rows, level) for level in ("likely_manipulated", "likely_authentic")}
            unclear = sum(_share(rows, level) for level in UNCLEAR)
            found.append({"label": label, "pictures": pictures, "unclear": unclear, **of})
    return found


@register.filter
def worst_spoiling(evaluation: Row) -> Row | None:
    """After which damage most of the real pictures were called manipulated."""
    names = {row["degradation"] for row in evaluation.get("abstentions", ())} - {AS_IT_IS}
    shares = {}
    for name in sorted(names):
        rows = [row for row in _told(evaluation, name) if row["label"] == "real"]
        if rows:
            shares[name] = _share(rows, "likely_manipulated")
    if not shares:
        return None
    worst = max(shares, key=lambda name: shares[name])
    return {"name": worst, "share": shares[worst]}


def _told(evaluation: Row, degradation: str) -> list[Row]:
    return [row for row in evaluation.get("abstentions", ()) if row["degradation"] == degradation]


def _share(rows: list[Row], level: str) -> float:
    pictures = sum(row["pictures"] for row in rows)
    return float(sum(row["pictures"] * row["levels"].get(level, 0.0) for row in rows) / pictures)


@register.filter
def of_product(evaluation: Row) -> list[Row]:
    """What the product as a whole does, on each set where real and swapped faces can be told apart at all."""
    rows = {row["set"]: row for row in evaluation.get("sets", ()) if row["detector"] == FUSED}
    return [rows[name] for name in evaluation.get("paired_sets", ()) if name in rows]


@register.filter
def detector_sets(evaluation: Row) -> list[Row]:
    """Every detector on the sets with both classes: the product's answer first, then what stands behind it."""
    names = evaluation.get("paired_sets", ())
    kept = [row for row in evaluation.get("sets", ()) if row["set"] in names]
    return sorted(kept, key=lambda row: (row["set"], row["detector"] != FUSED))


@register.filter
def kinds(evaluation: Row) -> list[Row]:
    """How many of each kind of manipulation the product finds, generated faces among them."""
    return [row for row in evaluation.get("manipulations", ()) if row["detector"] == FUSED]


@register.filter
def spoiled(evaluation: Row) -> Row | None:
    """How the product holds when the picture was spoiled: one line a degradation."""
    return _by(evaluation, "degradations", "degradation")


@register.filter
def by_size(evaluation: Row) -> Row | None:
    return _by(evaluation, "sizes", "size")


@register.filter
def by_yaw(evaluation: Row) -> Row | None:
    return _by(evaluation, "yaws", "yaw")


def _by(evaluation: Row, table: str, key: str) -> Row | None:
    """One line for each value of a key, and in it a cell for each set with both classes; or None."""
    sets = evaluation.get("paired_sets", ())
    lines: dict[str, dict[str, Row]] = {}
    for row in evaluation.get(table, ()):
        if row["detector"] == FUSED and row["set"] in sets:
            lines.setdefault(row[key], {})[row["set"]] = row
    if not lines:
        return None
    # Bins of face size come set by set: the order of their numbers is what people expect.
    ordered = sorted(lines, key=_first_number) if key == "size" else list(lines)
    return {
        "sets": sets,
        "lines": [{"name": name, "cells": [lines[name].get(each) for each in sets]} for name in ordered],
    }


def _first_number(name: str) -> tuple[int, str]:
    found = re.search(r"\d+", name)
    return (int(found[0]) if found else 0, name)


@register.filter
def answers(evaluation: Row) -> list[Row]:
    """What people are told about undamaged pictures, by set and truth."""
    return _told(evaluation, AS_IT_IS)


@register.filter
def yaw_words(name: str) -> str:
    return {
        "frontal": _("from the front"),
        "three-quarter": _("turned three quarters"),
        "profile": _("in profile"),
    }.get(name, name)


@register.filter
def own_detectors(evaluation: Row | None) -> list[str]:
    """The shipped networks that were measured, by code; the authors' published ones are there for comparison alone."""
    return [code for code in wording.DETECTORS if code in (evaluation or {}).get("detectors", {})]


@register.filter
def claims(evaluation: Row) -> list[Row]:
    """The paper's claims, each with our lines: the share of confident ones among the correct, or the AUC by turn."""
    found: dict[str, dict[str, Any]] = {}
    for row in evaluation.get("claims", ()):
        held = found.setdefault(row["claim"], {"claim": row["claim"], "paper": row.get("paper", ""), "rows": []})
        turns = [
            {"name": name, "auc": row[name], "faces": row.get("faces", {}).get(name)}
            for name in ("frontal", "three-quarter", "profile")
            if row.get(name) is not None
        ]
        held["rows"].append({**row, "turns": turns})
    return list(found.values())


@register.filter
def reliability(evaluation: Row) -> Row | None:
    """The product's reliability diagram: for each bin the probability that was given and the share that was true, as
    places in a drawing of 100 by 100 that hangs from its upper left corner."""
    rows = [row for row in evaluation.get("reliability", ()) if row["detector"] == FUSED]
    bins = [each for row in rows for each in row["bins"] if each.get("faces")]
    if not bins:
        return None
    most = max(each["faces"] for each in bins)
    points = [
        {
            **each,
            "x": round(100 * each["probability"], 2),
            "y": round(100 * (1 - each["share"]), 2),
            "radius": round(2 + 6 * (each["faces"] / most) ** 0.5, 1),  # the area says how many faces there were
        }
        for each in bins
    ]
    return {"points": points, "line": " ".join(f"{point['x']},{point['y']}" for point in points)}
