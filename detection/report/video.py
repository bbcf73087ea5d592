"""What the PDF says of a video: who was followed through it, and how the score went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeGuard

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from detection.levels import Level

from .drawings import Course
from .fonts import marked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import TableStyle

    from .contents import Contents

DASH: Final = "\u2013"


def flowables(contents: Contents, width: float, cell: ParagraphStyle, lines: TableStyle) -> list[Flowable]:
    check = contents.check
    found: list[Flowable] = []
    runs: list[list[tuple[float, float]]] = [[]]
    for moment in check.timeline:
        scores = [each for each in moment.get("people", {}).values() if _number(each)]
        # A line across a cut, or over frames in which nobody was judged, would draw what was not seen.
        if not scores or moment.get("scene_cut"):
            runs.append([])
        if scores and _number(moment.get("t")):
            runs[-1].append((float(moment["t"]), max(scores)))
    runs = [run for run in runs if run]
    if runs:
        found += [Course(runs, check.duration or runs[-1][-1][0], check, width), Spacer(0, 2 * mm)]
    if check.people:
        head = [_("Person"), _("Verdict"), _("Probability"), _("Seen"), _("Frames"), _("Worst moments")]
        rows = [head, *(_person(person) for person in check.people)]
        cells = [[Paragraph(marked(text), cell) for text in row] for row in rows]
        shares = (0.09, 0.23, 0.14, 0.2, 0.11, 0.23)
        found.append(Table(cells, [width * share for share in shares], style=lines, repeatRows=1))
    return found


def _person(person: Mapping[str, Any]) -> list[str]:
    level, chance = str(person.get("level", "")), person.get("probability")
    worst = [_seconds(moment.get("t")) for moment in person.get("worst", ())[:3]]
    return [
        str(int(person.get("index", 0)) + 1),
        str(Level(level).label) if level in Level.values else level,
        f"{100 * chance:.0f} %" if _number(chance) else DASH,
        f"{_seconds(person.get('first'))} {DASH} {_seconds(person.get('last'))}",
        str(person.get("frames", DASH)),
        ", ".join(worst) or DASH,
    ]


def _seconds(value: object) -> str:
    return f"{value:.1f} s" if _number(value) else DASH


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
